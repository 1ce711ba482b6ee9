/** The look of the demo page: light and dark, from a phone to a wide screen. Nothing is loaded from elsewhere. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --paper: #f5f2ea;
  --card: #fffdf8;
  --ink: #20242a;
  --soft: #5b5f66;
  --line: #ddd6c7;
  --accent: #0f6255;
  --accent-soft: #e1eee9;
  --wood: #8b4d22;
  --code: #f0ebdf;
  --bad: #a3261f;
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b;
    --card: #1c2026;
    --ink: #e8e4da;
    --soft: #a8abb1;
    --line: #333941;
    --accent: #80d4bf;
    --accent-soft: #1d3934;
    --wood: #dc9b66;
    --code: #14181c;
    --bad: #ff9a8f;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif;
}
.wrap { max-width: 74rem; margin: 0 auto; padding: 0 1.25rem; }
a { color: var(--accent); text-underline-offset: .18em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
h1, h2, h3 { line-height: 1.2; text-wrap: balance; }
h1 { font-size: clamp(1.75rem, 1.2rem + 2.6vw, 2.75rem); letter-spacing: -.02em; margin: 0 0 .6rem; }
h2 { font-size: 1.35rem; letter-spacing: -.01em; margin: 0 0 .3rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: 0 0 .75rem; }
code, pre, kbd { font-family: var(--mono); font-size: .875em; }
.lead { max-width: 44rem; color: var(--soft); font-size: 1.0625rem; margin: 0; }
.about { color: var(--soft); margin: 0 0 1rem; max-width: 44rem; }

header.wrap { padding-top: 1.5rem; }
.brand { display: flex; align-items: center; gap: .6rem; font-weight: 650; margin-bottom: 2.25rem; }
.brand svg { width: 1.75rem; height: 1.75rem; color: var(--wood); flex: none; }
.brand span { color: var(--soft); font-weight: 400; }

.way { list-style: none; display: grid; grid-template-columns: 1fr auto 1fr auto 1fr; gap: .5rem; margin: 2rem 0 0; padding: 0; }
.stop { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: .8rem 1rem; min-width: 0; }
.stop b { display: block; font-weight: 600; }
.stop code { color: var(--soft); overflow-wrap: anywhere; }
.stop.here { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.hop { align-self: center; text-align: center; color: var(--soft); font-size: .8125rem; padding: 0 .25rem; }
.hop::after { content: '→'; display: block; font-size: 1.25rem; line-height: 1; color: var(--accent); }

section { padding-top: 3rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.1rem 1.2rem 1.2rem; min-width: 0; }
.tall { display: flex; flex-direction: column; max-height: 36rem; }
.card:target { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.card { scroll-margin-top: 1rem; }
.card > h3 + p { color: var(--soft); font-size: .9375rem; margin-top: .2rem; }

.paths { list-style: none; margin: 0; padding: 0; display: grid; gap: .6rem; }
.paths small { display: block; color: var(--soft); font-size: .8125rem; margin: .1rem 0 0 .1rem; }
.paths a {
  display: inline-block; font-family: var(--mono); font-size: .8438rem; padding: .38rem .65rem; border-radius: 8px;
  background: var(--accent-soft); text-decoration: none; overflow-wrap: anywhere;
}
.paths a:hover { text-decoration: underline; }

label { display: block; font-size: .9375rem; font-weight: 550; margin: .7rem 0 .25rem; }
textarea, input[type=file] {
  width: 100%; font: inherit; font-size: .9375rem; color: inherit; background: var(--code);
  border: 1px solid var(--line); border-radius: 8px; padding: .5rem .6rem;
}
textarea { min-height: 4.2rem; resize: vertical; font-family: var(--mono); font-size: .875rem; }
input[type=file]::file-selector-button {
  font: inherit; margin-right: .7rem; padding: .15rem .6rem; border-radius: 6px;
  border: 1px solid var(--line); background: var(--card); color: var(--ink);
}
button {
  font: inherit; font-weight: 600; margin-top: .9rem; padding: .5rem 1rem; border: 0; border-radius: 8px; cursor: pointer;
  background: var(--accent); color: var(--card);
}
button:hover { filter: brightness(1.12); }
button:disabled { opacity: .6; cursor: progress; }

.result { margin: .9rem 0 0; font-size: .9375rem; }
.result:empty { display: none; }
.result dl { display: grid; grid-template-columns: auto 1fr; gap: .15rem .9rem; margin: 0; }
.result dt { color: var(--soft); }
.result dd { margin: 0; font-family: var(--mono); font-size: .8125rem; overflow-wrap: anywhere; align-self: center; }
.good { color: var(--accent); font-weight: 600; margin: .5rem 0 0; }
.bad { color: var(--bad); font-weight: 600; margin: .5rem 0 0; }
.notice { border-color: var(--accent); margin-top: 1.5rem; }
.notice .result { margin-top: .4rem; }

.bar { height: .5rem; border-radius: 99px; background: var(--code); border: 1px solid var(--line); overflow: hidden; margin-top: .9rem; }
.bar i { display: block; height: 100%; width: 0; background: var(--accent); transition: width .2s; }
.log {
  margin: .6rem 0 0; padding: .6rem .7rem; min-height: 9.6rem; flex: 1 1 9.6rem; overflow: auto; background: var(--code);
  border: 1px solid var(--line); border-radius: 8px; font-size: .7813rem; line-height: 1.5; white-space: pre-wrap;
}

.groups { columns: 2 27rem; column-gap: 1rem; }
.groups .card { break-inside: avoid; margin-bottom: 1rem; padding: 0; overflow: hidden; }
.groups .head { padding: .9rem 1.2rem .7rem; border-bottom: 1px solid var(--line); }
.groups .head p { margin: .1rem 0 0; color: var(--soft); font-size: .875rem; line-height: 1.4; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: .42rem 1.2rem; font: .8125rem/1.5 var(--mono); overflow-wrap: anywhere; }
th { width: 40%; padding-right: .5rem; color: var(--soft); font-weight: 400; }
td { padding-left: .5rem; unicode-bidi: isolate; }
tr + tr > * { border-top: 1px solid color-mix(in srgb, var(--line) 55%, transparent); }
td .special { color: var(--soft); font-style: italic; }
td small { display: block; color: var(--soft); font-size: .75rem; }

pre { margin: 0; padding: .9rem 1rem; background: var(--code); border: 1px solid var(--line); border-radius: 8px; overflow: auto; line-height: 1.5; tab-size: 4; }
.steps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem; align-items: start; }
.steps h3 + pre, .steps p + pre { margin-top: .5rem; }
.steps pre.long { max-height: 25.2rem; }
.steps .card > * + h3 { margin-top: 1.2rem; }

footer { color: var(--soft); font-size: .875rem; margin-top: 3rem; border-top: 1px solid var(--line); }
footer .wrap { padding-top: 1.25rem; padding-bottom: 2rem; margin-bottom: 0; }

@media (max-width: 46rem) {
  .brand { margin-bottom: 1.5rem; }
  .way { grid-template-columns: 1fr; gap: .25rem; }
  .hop { display: flex; justify-content: center; align-items: center; gap: .4rem; }
  .hop::after { content: '↓'; order: -1; }
  section { padding-top: 2.25rem; }
}
@media (max-width: 30rem) {
  .wrap { padding: 0 .9rem; }
  th, td { display: block; width: 100%; padding: 0 1rem; }
  th { padding-top: .45rem; }
  td { padding-bottom: .45rem; }
  tr > td { border-top: 0 !important; }
  .groups .head { padding: .8rem 1rem .6rem; }
}
@media (prefers-reduced-motion: reduce) { .bar i { transition: none; } }
`;
