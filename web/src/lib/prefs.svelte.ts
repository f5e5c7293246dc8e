import { getLocale, setLocale } from "./paraglide/runtime.js";

const THEME_KEY = "hypecast.theme";
type Theme = "dark" | "light";

let theme = $state<Theme>("dark");
export const currentTheme = (): Theme => theme;

/** static/theme.js has put the kept choice on the document before the first paint. */
export function readTheme(): void {
  theme = document.documentElement.dataset["theme"] === "light" ? "light" : "dark";
}

export function toggleTheme(): void {
  theme = theme === "dark" ? "light" : "dark";
  document.documentElement.dataset["theme"] = theme;
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // Storage is off: the choice lasts as long as the page.
  }
}

/** Reloads the page: every string is made anew, and the address brings back what was shown. */
export function toggleLanguage(): void {
  void setLocale(getLocale() === "ru" ? "en" : "ru");
}
