import { verdictOf } from './report.mjs';

const LEFT = 150;
const WIDTH = 640;
const LINE = 26;
const colours = { held: '#2e7d32', MISSED: '#c62828', unsteady: '#9e9e9e', told: '#1565c0' };

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** The ratios as bars, each with its bound as a stroke and 1 as a thin line, as SVG. */
export function plot(results) {
  const measured = results.filter(({ ratio }) => ratio !== undefined);
  const longest = Math.max(1, ...measured.flatMap(({ ratio, most = 0 }) => [Math.min(ratio.median, 3), most])) * 1.05;
  const x = (value) => (LEFT + (Math.min(value, longest) / longest) * WIDTH).toFixed(1);
  const bars = measured.map((result, i) => {
    const { name, ratio, most, against } = result;
    const top = 30 + i * LINE;
    const label = ratio.steady ? ratio.median.toFixed(2) : `${ratio.halves.map((half) => half.toFixed(2)).join('…')}`;
    const bar = `<rect x="${LEFT}" y="${top}" width="${(x(ratio.median) - LEFT).toFixed(1)}" height="16" fill="${colours[verdictOf(result)]}"><title>${escaped(against)}</title></rect>`;
    const bound =
      most === undefined
        ? ''
        : `<line x1="${x(most)}" x2="${x(most)}" y1="${top - 3}" y2="${top + 19}" stroke="#000" stroke-width="2"/>`;
    return [
      `<text x="${LEFT - 8}" y="${top + 12}" text-anchor="end">${escaped(name)}</text>`,
      `${bar}${bound}`,
      `<text x="${LEFT + WIDTH + 8}" y="${top + 12}">${label}</text>`,
    ].join('\n');
  });
  const height = 30 + measured.length * LINE + 10;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 90}" height="${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${LEFT}" y="16">ratios, less is better; black strokes: bounds</text>
<line x1="${x(1)}" x2="${x(1)}" y1="22" y2="${height - 8}" stroke="#999" stroke-dasharray="3 3"/>
${bars.join('\n')}
</svg>
`;
}
