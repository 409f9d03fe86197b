/** The page's whole style. Two palettes of the same few roles: one accent colour, and one for what is wrong. */
export const STYLE = `
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1c2127; --muted: #59616b; --line: #e2e6ea; --accent: #1b5fae; --bad: #ad2c1d }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171b; --ink: #e7eaed; --muted: #a2abb5; --line: #2d333a; --accent: #7cb5f5; --bad: #ff9a8b }
}
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100% }
body { margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: break-word }
body { font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif }
header, main, footer { max-width: 1020px; margin: 0 auto; padding: 0 24px }
header { padding-top: 48px }
h1, h2, h3, p, dl, dd, figure, ul { margin: 0; padding: 0 }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -.015em; font-weight: 650 }
h1 code { font-size: .8em; color: var(--muted); font-weight: 400; letter-spacing: 0 }
h2 { font-size: 20px; line-height: 1.3; letter-spacing: -.01em; font-weight: 650; padding-top: 20px; border-top: 1px solid var(--line) }
h3 { font-size: 16px; line-height: 1.4; font-weight: 600 }
section { margin-top: 48px }
section > p { color: var(--muted); max-width: 70ch; margin-top: 4px }
code { font: .92em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
.kind { color: var(--muted); font-size: 14px; margin-bottom: 4px }
.verdict { margin-top: 16px; padding-left: 14px; border-left: 3px solid var(--accent); max-width: 76ch }
.verdict.refused { border-color: var(--bad) }
.verdict strong { color: var(--accent) }
.verdict.refused strong, .fails { color: var(--bad) }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 24px; margin-top: 32px }
.facts dt { color: var(--muted); font-size: 14px }
.facts dd { font-size: 26px; line-height: 1.3; font-weight: 600; letter-spacing: -.01em; font-variant-numeric: tabular-nums }
.facts dd + dd { font-size: 14px; font-weight: 400; line-height: 1.45; letter-spacing: 0; color: var(--muted) }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); gap: 40px 48px; margin-top: 24px }
figure { min-width: 0; max-width: 520px }
figcaption p { color: var(--muted); font-size: 14px; line-height: 1.5; margin-top: 2px }
svg { display: block; width: 100%; height: auto; margin-top: 12px }
.wide { grid-column: 1 / -1; max-width: none }
.wide svg { width: auto }
svg text { font-family: inherit; font-variant-numeric: tabular-nums }
.key { display: flex; flex-wrap: wrap; gap: 2px 18px; list-style: none; margin-top: 10px; font-size: 14px; color: var(--muted) }
.key li { display: flex; align-items: center; gap: 7px }
.key i { flex: none; width: 18px; height: 0; border-top: 2px solid var(--c) }
.key i[class^=accent] { --c: var(--accent) }
.key i[class^=ink] { --c: var(--ink) }
.key i[class^=muted], .key i[class^=dashed] { --c: var(--muted) }
.key i[class^=bad] { --c: var(--bad) }
.key i[class^=dashed] { border-top-style: dashed }
.key i[class$=dot] { width: 9px; height: 9px; border: 0; border-radius: 50%; background: var(--c) }
.key i[class$=band] { height: 11px; border: 0; background: var(--c); opacity: .25 }
details { margin-top: 8px; font-size: 14px }
summary { cursor: pointer; color: var(--accent); width: fit-content; padding: 4px 0 }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
.scroll { overflow-x: auto; margin-top: 16px }
details .scroll { max-height: 420px; overflow-y: auto; margin-top: 4px }
table { border-collapse: collapse; font-size: 14px; line-height: 1.4; width: 100% }
caption { text-align: left; color: var(--muted); padding-bottom: 6px }
th, td { padding: 6px 14px 6px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); font-weight: 400 }
th:last-child, td:last-child { padding-right: 0 }
thead th { color: var(--muted); vertical-align: bottom }
tbody th { font-weight: 500 }
th small, td small { display: block; color: var(--muted); font-size: 13px }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
caption.unseen { display: block }
footer { margin-top: 64px; padding-bottom: 48px; color: var(--muted); font-size: 14px }
@media (max-width: 480px) { header, main, footer { padding-left: 16px; padding-right: 16px } header { padding-top: 28px } h1 { font-size: 25px } }
@media print { figure, tr { break-inside: avoid } section { break-before: auto } }
`;
