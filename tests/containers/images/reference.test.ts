import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatReference, parseReference, repositoryOf } from '../../../src/containers/images/reference.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}` as const;

it.each([
  ['busybox', { domain: '', path: 'busybox', tag: 'latest' }],
  ['busybox:1.36', { domain: '', path: 'busybox', tag: '1.36' }],
  ['team/tool', { domain: '', path: 'team/tool', tag: 'latest' }],
  ['localhost/tool', { domain: 'localhost', path: 'tool', tag: 'latest' }],
  ['localhost:5000/a/b/c:x_y-z.1', { domain: 'localhost:5000', path: 'a/b/c', tag: 'x_y-z.1' }],
  ['registry.example/a', { domain: 'registry.example', path: 'a', tag: 'latest' }],
  ['[::1]:5000/a', { domain: '[::1]:5000', path: 'a', tag: 'latest' }],
  ['UPPER/a', { domain: 'UPPER', path: 'a', tag: 'latest' }],
  [`a@${digest}`, { domain: '', path: 'a', digest }],
  [`registry.example:1/a:t@${digest}`, { domain: 'registry.example:1', path: 'a', tag: 't', digest }],
  ['a__b/c--d/e.f', { domain: '', path: 'a__b/c--d/e.f', tag: 'latest' }],
])('%s is read as docker reads it', (text, expected) => {
  expect(parseReference(text)).toEqual(expected);
});

it.each([
  ['', 'invalid reference format'],
  ['a:', 'invalid reference format'],
  [':tag', 'invalid reference format'],
  ['a b', 'invalid reference format'],
  ['a//b', 'invalid reference format'],
  ['a..b', 'invalid reference format'],
  ['a___b', 'invalid reference format'],
  ['-a', 'invalid reference format'],
  ['a/', 'invalid reference format'],
  ['../a', 'invalid reference format'],
  ['a@sha256:12', 'invalid reference format'],
  [`a@sha512:${'0'.repeat(128)}`, 'invalid reference format'],
  [`a:${'t'.repeat(129)}`, 'invalid reference format'],
  ['Upper', 'invalid reference format: repository name (Upper) must be lowercase'],
  ['registry.example/Upper', 'invalid reference format: repository name (Upper) must be lowercase'],
  ['0'.repeat(64), `invalid repository name (${'0'.repeat(64)}), cannot specify 64-byte hexadecimal strings`],
  [`a/${'b'.repeat(300)}`, 'repository name must not be more than 255 characters'],
])('%j is refused in the words of docker', (text, message) => {
  expect(() => parseReference(text)).toThrow(message);
});

it('what is formatted reads the same again', () => {
  const component = fc.stringMatching(/^[a-z0-9]{1,6}((\.|_|__|-{1,2})[a-z0-9]{1,4}){0,2}$/);
  const domain = fc.constantFrom('', 'localhost', 'registry.example', 'h:1', '[::1]:5000');
  const tag = fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/), { nil: undefined });
  fc.assert(
    fc.property(domain, fc.array(component, { minLength: 1, maxLength: 4 }), tag, (host, parts, label) => {
      fc.pre(host !== '' || parts.length === 1 || !/[.]|^localhost$/.test(parts[0]!));
      const name = `${host === '' ? '' : `${host}/`}${parts.join('/')}`;
      const parsed = parseReference(label === undefined ? name : `${name}:${label}`);
      expect(repositoryOf(parsed)).toBe(name);
      expect(formatReference(parsed)).toBe(`${name}:${label ?? 'latest'}`);
      expect(parseReference(formatReference(parsed))).toEqual(parsed);
    }),
  );
});

it('any text at all is read or refused with a typed error', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      try {
        parseReference(text);
      } catch (error) {
        expect(error).toMatchObject({ name: 'ImageStoreError', code: 'invalid' });
      }
    }),
  );
});
