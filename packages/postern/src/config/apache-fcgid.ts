import { filesFirst } from './apache-files.ts';
import type { ApacheParts } from './apache-module.ts';
import { checkPath, quote } from './text.ts';

/** Beside the characters of patterns: mod_fcgid divides the path of a program into words, as a shell does. */
const divides = { found: /[*?[\]\s"'\\]/, named: '*, ?, [, ], a blank, a quote or \\' };

/** mod_fcgid, which starts the app itself. @throws ConfigError ERR_OPTION */
export function programParts(program: string, root: string | undefined): ApacheParts {
  return {
    title: 'an app that it starts itself, on fastcgi+fd:0',
    modules: ['authz_core', 'alias', 'fcgid', ...(root === undefined ? [] : ['rewrite', 'mime'])],
    lines: [
      ['# Apache answers 404 to a path with %2F by itself, unless this is on.', 'AllowEncodedSlashes On'],
      programLines(program),
      processes,
      uploads,
      streams,
      root === undefined ? [] : filesFirst(root, 'RewriteRule "^(.*)$" "%{DOCUMENT_ROOT}$1" [L]'),
    ],
  };
}

/** @throws ConfigError ERR_OPTION */
function programLines(program: string): string[] {
  checkPath('Apache', program, 'program', divides);
  const slash = program.lastIndexOf('/');
  return [
    '# The program: an executable file that Apache may run, with two lines (and the whole paths of your machine):',
    '#     #!/bin/sh',
    '#     exec /usr/local/bin/postern serve /srv/app/app.mjs',
    `Alias "/" ${quote('Apache', `${program}/`)}`,
    `<Directory ${quote('Apache', program.slice(0, slash) || '/')}>`,
    `    <Files ${quote('Apache', program.slice(slash + 1))}>`,
    '        SetHandler fcgid-script',
    '        Options +ExecCGI',
    '        Require all granted',
    '        # The app gets the header Authorization: without this Apache keeps it for itself.',
    '        CGIPassAuth On',
    '    </Files>',
    '</Directory>',
  ];
}

const processes = [
  '# A process has one request at a time, so as many requests run at once as there are processes, of some 70 MB each. An',
  '# app with many requests at once, or event streams, does better with a process of its own and mod_proxy_fcgi.',
  'FcgidMaxProcessesPerClass 8',
  'FcgidMinProcessesPerClass 1',
  '# A process ends that was idle so long, and one that is so old at its next rest (seconds).',
  'FcgidIdleTimeout 300',
  'FcgidProcessLifeTime 3600',
];

const uploads = [
  '# The largest upload, 1 GB; without this it is 131072 bytes, and a larger one is answered with 500. Apache takes the whole',
  '# of it before the app hears of it.',
  'FcgidMaxRequestLen 1073741824',
];

const streams = [
  '# What the app writes goes out at once (event streams). Without this Apache collects 64 KB.',
  'FcgidOutputBufferSize 0',
  '# A reply that is silent for longer is cut; the app gives up by itself before (--app-timeout, 55 s).',
  'FcgidIOTimeout 60',
  '# A process whose request takes longer is killed, an event stream too.',
  'FcgidBusyTimeout 3600',
];
