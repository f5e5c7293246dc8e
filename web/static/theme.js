// Before the first paint, so that the page never flashes in the other theme.
try {
  document.documentElement.dataset.theme =
    localStorage.getItem("hypecast.theme") === "light" ? "light" : "dark";
} catch {
  // Storage is off: dark stays.
}
// A browser source of OBS is transparent before it has anything to show.
if (/^\/overlay\/./.test(location.pathname)) document.documentElement.dataset.bare = "";
