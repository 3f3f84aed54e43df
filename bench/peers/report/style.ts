import { COLOURS, FONT } from './theme.ts';

/** From this width on a page shows the wide drawings. */
const WIDE_PX = 700;

/** The style sheet of the page. Nothing may be wider than the window but what scrolls in a box of its own. */
export const STYLE = `${COLOURS}
:root{color-scheme:light dark}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 ${FONT}}
main{max-width:1160px;margin:0 auto;padding:24px 16px 64px}
h1{font-size:clamp(1.5rem,4vw,2.2rem);line-height:1.2;margin:.4em 0 .6em}
h2{font-size:1.35rem;margin:2.4em 0 .4em}
h3{font-size:1rem;margin:1.6em 0 .2em}
p{max-width:75ch;margin:.5em 0}
.lead{font-size:1.08rem}
a{color:var(--ours)}
code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.ours{color:var(--ours);font-weight:600}
.bad{color:var(--failed);font-weight:700}
.calm,.none,small{color:var(--soft)}
.none{font-style:italic}
dl.facts,dl.kinds{display:grid;grid-template-columns:max-content 1fr;gap:.25em 1.2em;margin:1.2em 0;font-size:.92rem}
dt{color:var(--soft)}
dd{margin:0;min-width:0;overflow-wrap:anywhere}
dl.facts{padding:12px 16px;background:var(--raised);border-radius:8px}
.box{overflow-x:auto;margin:1em 0;border:1px solid var(--line);border-radius:8px}
.box:focus-visible{outline:2px solid var(--ours);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.86rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);padding:8px 12px}
caption span{position:sticky;left:12px;display:inline-block;max-width:min(75ch,calc(100vw - 58px))}
th,td{padding:6px 8px;text-align:right;border-top:1px solid var(--line);vertical-align:top}
thead th{font-weight:600;color:var(--soft);vertical-align:bottom;line-height:1.25}
abbr{text-decoration:none}
th:first-child{text-align:left;padding-left:12px;position:sticky;left:0;background:var(--paper);border-right:1px solid var(--line);min-width:9.5em}
@media (min-width:900px){th:first-child{min-width:12.5em}}
tbody th{font-weight:500}
tbody th.ours{font-weight:700}
td{white-space:nowrap}
td.bad{background:var(--blush)}
td.sum{border-right:1px solid var(--line)}
td.apart{border-left:1px solid var(--line)}
.skipped td{text-align:left;color:var(--soft);white-space:normal}
.skipped td span{position:sticky;left:10.3em;display:inline-block;max-width:min(70ch,calc(100vw - 14em))}
.notes{font-size:.85rem;color:var(--soft);padding-left:1.6em;margin:.5em 0}
sup{line-height:0}
figure{margin:1em 0}
figure svg{display:block;max-width:100%;height:auto}
figure.wide{display:none}
@media (min-width:${WIDE_PX}px){figure.wide{display:block}figure.narrow{display:none}}
details{margin:.5em 0;font-size:.92rem}
summary{cursor:pointer;color:var(--soft)}
`;
