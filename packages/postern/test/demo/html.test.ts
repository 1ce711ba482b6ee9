import { describe, expect, it } from '@jest/globals';
import { Html, html } from '../../src/demo/html.ts';

describe('a template of markup', () => {
  it('escapes what is put into it, in text and in attributes', () => {
    const nasty = `<img src=x onerror="alert('1')">&`;
    expect(html`<p title="${nasty}">${nasty}</p>`.text).toBe(
      '<p title="&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;">' +
        '&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;</p>',
    );
  });

  it('takes markup, lists and numbers as they are, and nothing for undefined', () => {
    const items = ['a', '<b>'].map((text) => html`<li>${text}</li>`);
    expect(html`<ul>${items}</ul>${undefined}${3}${new Html('<hr>')}`.text).toBe(
      '<ul><li>a</li><li>&lt;b&gt;</li></ul>3<hr>',
    );
  });

  it('shows controls, which no page may hold', () => {
    expect(html`${'a\0b\x1b\x9f\t\n'}`.text).toBe('a\\x00b\\x1b\\x9f\t\n');
  });
});
