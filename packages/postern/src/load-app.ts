import { execFile } from 'node:child_process';
import { type Stats, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '@postern/core';
import { pickExports } from './app-export.ts';
import type { RoleExports } from './roles.ts';

function refuse(message: string, cause?: unknown): never {
  throw new ConfigError('ERR_APP_LOAD', message, { cause });
}

/**
 * Imports an application from a file: ESM, CommonJS, TypeScript where Node strips types, and an ES module whose name
 * ends in .cgi, as web servers want it of a CGI program that is the application itself.
 * @param module a path, relative to `folder`
 * @throws ConfigError ERR_APP_LOAD: there is no such file, or it threw while it loaded; ERR_APP_EXPORT
 */
export async function loadApp(module: string, folder: string): Promise<RoleExports & { path: string }> {
  const path = resolve(folder, module);
  checkFile(path);
  const { href } = pathToFileURL(path);
  if (extname(path) === '.cgi') takeForModule(href);
  let namespace: object;
  try {
    namespace = (await import(href)) as object;
  } catch (error) {
    refuse(await explain(error, path), error);
  }
  return { ...pickExports(namespace, path), path };
}

type Load = (url: string, context: { format?: string }) => unknown;

/** What Node 20 has not. */
type NodeModule = typeof import('node:module') & {
  registerHooks?(hooks: { load(url: string, context: { format?: string }, next: Load): unknown }): void;
};

/** Node tells the kind of a module by the end of its name, and does not know this one. */
function takeForModule(href: string): void {
  const nodeModule = process.getBuiltinModule('node:module') as NodeModule;
  // Node 22.15 and newer; where it is there the other way is deprecated, which Node 26 says on stderr
  if (nodeModule.registerHooks !== undefined) {
    nodeModule.registerHooks({
      load: (url, context, next) => next(url, url === href ? { ...context, format: 'module' } : context),
    });
    return;
  }
  const hook = `export function load(url, context, next) {
    return next(url, url === ${JSON.stringify(href)} ? { ...context, format: 'module' } : context);
  }`;
  nodeModule.register(`data:text/javascript,${encodeURIComponent(hook)}`);
}

function checkFile(path: string): void {
  let stats: Stats;
  try {
    stats = statSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') refuse(`there is no file ${path}: name the module of the app`, error);
    refuse(`${path} cannot be read (${code}): look at its permissions`, error);
  }
  if (stats.isDirectory()) refuse(`${path} is a folder: name the module in it`);
}

async function explain(error: unknown, path: string): Promise<string> {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[cm]?ts$/.test(path))
    return `${path}: Node ${process.versions.node} does not load TypeScript: compile it, or use Node 22.18 or newer`;
  const place = placeIn(error instanceof Error ? error.stack : undefined) ?? (await placeOfMistake(error, path));
  return `${path} threw while it loaded: ${oneLine(error)}${place === undefined ? '' : ` at ${place}`}`;
}

function oneLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error).split('\n', 1)[0];
  return `${error.name}: ${error.message.split('\n', 1)[0]}`;
}

/** The first place of a stack that is a file; what cannot be compiled names its file on the first line. */
function placeIn(stack: string | undefined): string | undefined {
  const place = /^(?:\s+at (?:.*\()?)?((?:file:\/\/)?\/[^\s()]+:\d+(?::\d+)?)\)?$/m.exec(stack ?? '')?.[1];
  return place?.replace(/^file:\/\//, '');
}

/** An ES module that cannot be compiled rejects without a place; `node --check` has it, and runs nothing. */
function placeOfMistake(error: unknown, path: string): Promise<string | undefined> {
  if (!(error instanceof SyntaxError)) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    execFile(process.execPath, ['--check', path], (_, __, stderr) => resolve(placeIn(stderr)));
  });
}
