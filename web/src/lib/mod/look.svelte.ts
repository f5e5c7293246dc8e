/** How much of it one wants to see: kept in the browser, for this person alone. */
const BLUR_KEY = "hypecast.mod.blur";
const CALM_KEY = "hypecast.mod.calm";

function read(key: string, usual: boolean): boolean {
  try {
    const kept = localStorage.getItem(key);
    return kept === null ? usual : kept === "1";
  } catch {
    return usual;
  }
}
function keep(key: string, on: boolean): void {
  try {
    localStorage.setItem(key, on ? "1" : "0");
  } catch {
    // Storage is off: the choice lasts as long as the page.
  }
}

class Look {
  /** What the model marked is blurred until one looks at that case. */
  blur = $state(read(BLUR_KEY, true));
  /** One case at a time, its words hidden until they are asked for, colours muted. */
  calm = $state(read(CALM_KEY, false));

  toggleBlur(): void {
    this.blur = !this.blur;
    keep(BLUR_KEY, this.blur);
  }
  toggleCalm(): void {
    this.calm = !this.calm;
    keep(CALM_KEY, this.calm);
  }
}
export const look = new Look();
