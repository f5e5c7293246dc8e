const KEY = "hypecast.volume";

interface Volume {
  level: number;
  muted: boolean;
}

/** As a person left it; a first visit is silent, since no browser lets a page speak first. */
export function readVolume(): Volume {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Volume>;
    const level = typeof kept.level === "number" && kept.level >= 0 && kept.level <= 1 ? kept.level : 0.8;
    return { level, muted: kept.muted !== false };
  } catch {
    return { level: 0.8, muted: true };
  }
}

export function keepVolume(volume: Volume): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(volume));
  } catch {
    // Storage is off: the choice lasts as long as the page.
  }
}
