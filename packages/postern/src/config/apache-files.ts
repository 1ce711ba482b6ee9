import { checkPath, quote } from './text.ts';

/** <Directory> takes a path with one of these for a pattern. */
const pattern = { found: /[*?[\]]/, named: '*, ?, [ or ]' };

/** A folder whose files Apache serves. @throws ConfigError ERR_OPTION */
export function folderOf(root: string): string[] {
  checkPath('Apache', root, 'root', pattern);
  const quoted = quote('Apache', root);
  return [`DocumentRoot ${quoted}`, `<Directory ${quoted}>`, '    Require all granted', '</Directory>'];
}

/**
 * What is a file in the folder is served by Apache, the rest goes to the app.
 * @param rule what mod_rewrite does with a file
 * @throws ConfigError ERR_OPTION
 */
export function filesFirst(root: string, rule: string): string[] {
  return [
    '# What is a file in this folder is served by Apache, and is public; the rest goes to the app.',
    ...folderOf(root),
    'RewriteEngine On',
    'RewriteCond "%{DOCUMENT_ROOT}%{REQUEST_URI}" -f',
    rule,
  ];
}
