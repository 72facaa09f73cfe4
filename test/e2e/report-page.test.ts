/** The page of `report` in a real browser: as wide as a phone, as wide as a desk, and on paper. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { toPage } from "../../lib/report/page";
import type { UsageReport } from "../../lib/report/usage-report";
import { emptyFolder } from "../cli/support/run";
import { describeLab } from "../lab/describe-lab";
import { at, DENIED, fleet, JOURNAL, reportOn, SS, answered } from "../report/support/reports";

jest.setTimeout(120_000);

/** Everything as long as it may be, and as bad. */
const worst = (): UsageReport => {
  const name = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">".repeat(5);
  const long = `in 6 2001:db8:1234:5678:9abc:def0:1234:5678 65535 123456789012345 ${at(1)} ${at(70)}\n`;
  const login = `2026-09-10T10:00:00+0000 h sshd[1]: Accepted publickey for ${"u".repeat(200)} from ${"f".repeat(100)} port 1 ssh2\n`;
  return reportOn({ [name]: answered({ denied: DENIED + long, sockets: SS, logins: JOURNAL + login }) });
};

describeLab(
  "the page of report",
  () => {
    const folder = emptyFolder();
    const chromium = (...args: readonly string[]): string =>
      execFileSync(
        "chromium",
        [
          ...["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files"],
          ...["--disable-background-networking", `--user-data-dir=${join(folder, "profile")}`, ...args],
        ],
        { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 60_000 },
      );
    const write = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return pathToFileURL(join(folder, name)).href;
    };

    interface Seen {
      readonly width: number;
      readonly wide: readonly string[];
      readonly title: string;
      readonly foreign: number;
      readonly loaded: number;
      readonly headsShown: boolean;
      readonly bars: number;
    }

    /** What a browser makes of the page in a window of that width. */
    function seen(page: string, width: number): Seen {
      const around = write(
        "around.html",
        `<body><iframe src="page.html" style="width:${width}px;height:800px;border:0"></iframe><script>
        const frame = document.querySelector("iframe");
        frame.onload = () => {
          const page = frame.contentDocument;
          const all = [...page.querySelectorAll("body *")];
          const reach = (one) => one.getBoundingClientRect().right;
          document.body.textContent = "SEEN" + JSON.stringify({
            width: page.documentElement.scrollWidth,
            wide: all.filter((one) => reach(one) > ${width} + 0.5).map((one) => one.outerHTML.slice(0, 80)),
            title: page.title,
            foreign: page.querySelectorAll("script, img, iframe, link, [onerror]").length,
            loaded: frame.contentWindow.performance.getEntriesByType("resource").length,
            headsShown: frame.contentWindow.getComputedStyle(page.querySelector("thead")).display !== "none",
            bars: [...page.querySelectorAll("line.seen")].filter((one) => one.getBoundingClientRect().width > 20).length,
          }) + "SEEN";
        };</script></body>`,
      );
      write("page.html", page);
      const dom = chromium("--virtual-time-budget=5000", "--dump-dom", around);
      const json = (dom.split("SEEN")[1] ?? "").replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
      return JSON.parse(json) as Seen;
    }

    test.each([
      [375, false],
      [1280, true],
    ])("fits a window of %i pixels, even with the longest values", (width, headsShown) => {
      for (const report of [fleet(), worst()]) {
        const found = seen(toPage(report), width);
        expect(found).toMatchObject({ width, wide: [], foreign: 0, loaded: 0, headsShown });
        expect(found.title).toMatch(/^Was it used\? /);
        expect(found.bars).toBeGreaterThanOrEqual(3);
      }
    });

    test.each([375, 1280])("is drawn in a window of %i pixels", (width) => {
      const image = join(folder, `${width}.png`);
      const page = write("page.html", toPage(fleet()));
      chromium(`--screenshot=${image}`, `--window-size=${width},2000`, page);
      const png = readFileSync(image);
      expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([width, 2000]);
      // An empty page is some 10 kB.
      expect(png.length).toBeGreaterThan(50_000);
    });

    test("is printed with each host on a page of its own", () => {
      const paper = join(folder, "paper.pdf");
      chromium("--no-pdf-header-footer", `--print-to-pdf=${paper}`, write("page.html", toPage(fleet())));
      const pages = readFileSync(paper, "latin1").match(/\/Type \/Page\b/g) ?? [];
      expect(pages.length).toBeGreaterThanOrEqual(5);
      expect(pages.length).toBeLessThanOrEqual(10);
    });
  },
  { needs: "chromium" },
);
