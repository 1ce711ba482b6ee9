import { describe, expect, it } from '@jest/globals';
import { parsePeerCertificate } from '../src/peer-certificate.ts';
import { certificate } from './certificate.ts';

const base64 = certificate.replace(/-----[A-Z ]+-----|\s/g, '');

describe("the client's certificate", () => {
  it.each([
    ['PEM, as Apache and lighttpd write it', certificate],
    [
      'PEM with a tab before each line but the first, as nginx writes $ssl_client_cert',
      certificate.replace(/\n(?!$)/g, '\n\t'),
    ],
    ['percent-encoded PEM, as nginx writes $ssl_client_escaped_cert', encodeURIComponent(certificate)],
    ['base64 alone, as HAProxy writes it', base64],
  ])('is read from %s', (_form, text) => {
    expect(parsePeerCertificate(text)?.subject).toContain('CN=client.example');
  });

  it.each([
    ['nothing', ''],
    ['no text', undefined],
    ['noise', 'noise'],
    ['a broken escape', '%E0%A4%A'],
  ])('is absent where there is %s', (_what, text) => {
    expect(parsePeerCertificate(text)).toBeUndefined();
  });
});
