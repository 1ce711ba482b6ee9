// Every row that a test must be named after, by table. The text is what the section of a page is called.

/** @type {Record<string, { title: string, sections: { prefix: string, from?: number, to: number, title: string }[] }>} */
export const tables = {
  vectors: {
    title: 'Vectors: bad and odd input',
    sections: [
      { prefix: 'vF', to: 105, title: 'FastCGI, what a server is sent' },
      { prefix: 'vS', to: 34, title: 'SCGI, what a server is sent' },
      { prefix: 'vA', to: 74, title: 'AJP, what a server is sent' },
      { prefix: 'vU', to: 25, title: 'uwsgi, what a server is sent' },
      { prefix: 'vC', to: 50, title: 'Replies, what a client is sent: CGI text, FastCGI, AJP' },
      { prefix: 'vE', to: 27, title: 'Encoders, what an application or a caller gives' },
      { prefix: 'vH', to: 10, title: 'HTTP, what a listener is sent' },
    ],
  },
  limits: {
    title: 'Limits, one under, at, one over, and endless',
    sections: [{ prefix: 'L', to: 33, title: 'Limits' }],
  },
  attacks: {
    title: 'Attacks and faults',
    sections: [
      { prefix: 'A', to: 20, title: 'AJP' },
      { prefix: 'F', to: 24, title: 'FastCGI' },
      { prefix: 'S', to: 5, title: 'SCGI' },
      { prefix: 'U', to: 7, title: 'uwsgi' },
      { prefix: 'C', to: 9, title: 'Everything that speaks CGI' },
      { prefix: 'D', to: 20, title: 'Denial of service, process and host' },
      { prefix: 'fault ', from: 30, to: 44, title: 'Slow, many and dead peers' },
      { prefix: 'wrong port', to: 0, title: 'Wrong port: the first bytes of one protocol on a listener of another' },
      { prefix: 'reflection', to: 0, title: 'Reflection: a server connected to itself' },
    ],
  },
};

/** The ids of a section: vF1, vF2, …; of a section without numbers its name alone. */
export function idsOf({ prefix, from = 1, to }) {
  if (to === 0) return [prefix];
  return Array.from({ length: to - from + 1 }, (_, i) => `${prefix}${from + i}`);
}
