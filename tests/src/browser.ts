import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

/** Debian's own Chromium; CHROMIUM names another. */
export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });

export interface Look {
  locale?: "ru" | "en";
  theme?: "dark" | "light";
  width?: number;
  reducedMotion?: boolean;
}

export interface Watched {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Everything that must not happen on any page: errors, policy violations, requests to elsewhere. */
  readonly faults: string[];
}

/** A page that notes every fault. `allow` excuses console messages that a test provokes itself. */
export async function openPage(
  browser: Browser,
  origin: string,
  look: Look = {},
  allow: RegExp | null = null,
): Promise<Watched> {
  const { locale = "ru", theme = "dark", width = 1440, reducedMotion = true } = look;
  const context = await browser.newContext({
    viewport: { width, height: width < 500 ? 844 : 900 },
    locale: locale === "ru" ? "ru-RU" : "en-GB",
    reducedMotion: reducedMotion ? "reduce" : "no-preference",
  });
  await context.addInitScript(
    ([theme, locale]) => {
      localStorage.setItem("hypecast.theme", theme ?? "");
      localStorage.setItem("PARAGLIDE_LOCALE", locale ?? "");
      document.addEventListener("securitypolicyviolation", (event) =>
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
      );
    },
    [theme, locale],
  );
  const page = await context.newPage();
  const faults: string[] = [];
  const note = (text: string): void => {
    if (allow?.test(text) !== true) faults.push(text);
  };
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") note(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => note(`error: ${error.message}`));
  page.on("request", (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (protocol !== "data:" && asked !== origin) note(`request to elsewhere: ${request.url()}`);
  });
  return { page, context, faults };
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const ALL = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What axe finds against WCAG 2.2 AA and its best practices, one line each. */
export async function axeFindings(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axeSource);
  const violations = await page.evaluate(async (tags) => {
    const { axe } = globalThis as unknown as { axe: { run(options: unknown): Promise<AxeResults> } };
    const results = await axe.run({ runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] });
    return results.violations.flatMap(({ id, nodes }) =>
      nodes
        .slice(0, 3)
        .map(
          (node) =>
            `${id}: ${node.html.slice(0, 160)} (${node.failureSummary?.split("\n")[1]?.trim() ?? ""})`,
        ),
    );
  }, ALL);
  return violations;
}
