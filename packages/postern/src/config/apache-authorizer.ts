import { ConfigError } from '@postern/core';
import { folderOf } from './apache-files.ts';
import type { ApacheParts } from './apache-module.ts';
import { authority, type Backend } from './backend.ts';

/** mod_authnz_fcgi, which asks an authorizer whether a request may go on. @throws ConfigError ERR_OPTION */
export function authorizerParts(backend: Backend, root: string | undefined): ApacheParts {
  const { address, to } = backend;
  if ('socket' in to)
    throw new ConfigError(
      'ERR_OPTION',
      `--listen ${address}: mod_authnz_fcgi cannot connect to a unix socket: let the authorizer listen on fastcgi://127.0.0.1:PORT`,
    );
  const name = `postern_${address.replace(/[^A-Za-z0-9]+/g, '_')}`;
  return {
    title: `what an authorizer lets through that listens on ${address}`,
    modules: [
      ...['authn_core', 'authz_core', 'authz_user', 'auth_basic', 'authnz_fcgi'],
      ...(root === undefined ? [] : ['mime']),
    ],
    before: [
      '# Once, however many of these files are for the authorizer.',
      `<IfDefine !${name}>`,
      `    Define ${name}`,
      `    AuthnzFcgiDefineProvider authnz ${name} fcgi://${authority(to.host, to.port)}/`,
      '</IfDefine>',
    ],
    lines: [
      [
        '# The authorizer is asked for each request, without its body. Any answer but 200 is what the client gets. What it',
        '# gives with a 200 is a variable for what follows, and REMOTE_USER is who it is, or else "authorized".',
        '<Location "/">',
        '    AuthType FCGI',
        '    AuthName "closed"',
        `    AuthnzFcgiCheckAuthnProvider ${name} Authoritative On RequireBasicAuth Off DefaultUser authorized UserExpr "%{reqenv:REMOTE_USER}"`,
        '    Require valid-user',
        '    # The authorizer gets the header Authorization: without this Apache keeps it for itself.',
        '    CGIPassAuth On',
        '    # Or Apache asks for name and password, and the authorizer gets REMOTE_USER and REMOTE_PASSWD and its denial is a 401:',
        '    # these in the place of the first, third and fourth line.',
        '    #AuthType Basic',
        `    #AuthBasicProvider ${name}`,
        `    #Require ${name}`,
        '</Location>',
      ],
      root === undefined
        ? ['# What it lets through to: a DocumentRoot (--root), or a ProxyPass to an app.']
        : ['# The files of this folder are served to whom it lets through.', ...folderOf(root)],
    ],
  };
}
