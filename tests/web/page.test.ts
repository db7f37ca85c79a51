import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { controlCharacter } from '../../web/state/control-character.ts';
import { search } from '../../web/state/palette-search.ts';
import { readRemembered } from '../../web/state/recall.ts';
import { readSettings, SettingsStore } from '../../web/state/settings.ts';
import { en } from '../../web/strings/en.ts';
import { isLanguage, preferredLanguage, strings, useLanguage } from '../../web/strings/strings.ts';
import { zhCn } from '../../web/strings/zh-cn.ts';

/** Every word of a language, with the path that leads to it; functions called with their parameters' places. */
function wordsOf(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') {
    const places = Array.from({ length: value.length }, (_, index) => index + 1);
    return [[path, String(value(...places))]];
  }
  return Object.entries(value as object).flatMap(([key, inner]) =>
    wordsOf(inner, path ? `${path}.${key}` : key),
  );
}

describe('the words of the page', () => {
  const english = new Map(wordsOf({ ...en, guests: {} }));
  const chinese = new Map(wordsOf({ ...zhCn, guests: {} }));

  test('are the same in both languages, and say what they are given', () => {
    expect([...chinese.keys()].toSorted()).toEqual([...english.keys()].toSorted());
    for (const [path, text] of english) {
      const numbers = (words: string) => [...words.matchAll(/\d+/g)].map(([number]) => number).toSorted();
      const given = numbers(text).filter((number) => Number(number) <= 4);
      expect(numbers(chinese.get(path)!), path).toEqual(expect.arrayContaining(given));
    }
  });

  test('are Chinese where they are words', () => {
    const same = [...chinese].filter(([path, text]) => english.get(path) === text).map(([, text]) => text);
    // Names, units and signs only: nothing that somebody would read as a sentence.
    for (const text of same) expect(text).toMatch(/^[\w\s.·%,:/<>|~–-]{0,40}$/);
    expect(same.length).toBeLessThan(20);
  });

  test('are all shown somewhere', () => {
    const sources: string[] = [];
    const read = (folder: string) => {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) read(path);
        else if (entry.name.endsWith('.ts') && !path.includes('strings/en') && !path.includes('strings/zh')) {
          sources.push(readFileSync(path, 'utf8'));
        }
      }
    };
    read('web');
    const code = sources.join('\n');
    const unused = Object.keys(en).filter((key) => !new RegExp(`\\b${key}\\b`).test(code));
    expect(unused).toEqual([]);
  });

  test('follow what the browser prefers, and change at once', () => {
    expect(preferredLanguage(['zh-Hans-CN', 'en'])).toBe('zh-CN');
    expect(preferredLanguage(['fr-FR', 'en-GB', 'zh'])).toBe('en');
    expect(preferredLanguage([])).toBe('en');
    expect(isLanguage('toString')).toBe(false);
    useLanguage('zh-CN');
    expect(strings.boot).toBe(zhCn.boot);
    useLanguage('en');
    expect(strings.boot).toBe(en.boot);
  });
});

describe('what a browser keeps of the page', () => {
  test('is read as settings whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (stored) => {
        const settings = readSettings(stored, ['en']);
        expect(['system', 'light', 'dark']).toContain(settings.theme);
        expect(typeof settings.screenReader).toBe('boolean');
        expect(readRemembered(stored).machines).toEqual([]);
      }),
    );
  });

  test('is there again, and a full storage is no harm', () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    };
    new SettingsStore(storage, ['zh']).set({ theme: 'dark', fontSize: 18 });
    const again = new SettingsStore(storage, ['en']).view.value;
    expect(again).toMatchObject({ language: 'zh-CN', theme: 'dark', fontSize: 18 });
    const full = new SettingsStore(
      {
        ...storage,
        setItem: () => {
          throw new Error('QuotaExceededError');
        },
      },
      ['en'],
    );
    full.set({ theme: 'light' });
    expect(full.view.value.theme).toBe('light');
  });

  test('has no machine that we would not have written', () => {
    const machine = { id: 'm1', name: 'one', guest: 'busybox', text: 'x' };
    const read = (...machines: unknown[]) =>
      readRemembered(JSON.stringify({ version: 1, machines })).machines.map(({ id }) => id);
    expect(read(machine, { ...machine, id: 'm2' })).toEqual(['m1', 'm2']);
    expect(read(machine, machine)).toEqual(['m1']);
    expect(read({ ...machine, id: 'constructor' }, { ...machine, guest: '../secret' }, null, 7)).toEqual([]);
    const choices = { memory: '256M', cpus: 0.5, consoles: 2, engine: 'interpreter' };
    const chosen = (value: unknown) =>
      readRemembered(JSON.stringify({ version: 1, machines: [{ ...machine, choices: value }] })).machines[0]
        ?.choices;
    expect(chosen(choices)).toEqual(choices);
    expect(chosen({ memory: '1e9', cpus: -1, consoles: 1e6, engine: 'x', bios: 'y' })).toEqual({});
    expect(readRemembered(JSON.stringify({ version: 2, machines: [machine] })).machines).toEqual([]);
  });
});

describe('the command palette', () => {
  const titles = (...all: string[]) => all.map((title) => ({ title }));

  test('finds what has the letters, in their order, and beginnings of words first', () => {
    const all = titles(
      'Reset: busybox',
      'Pause: busybox',
      'Split: this tab to the right',
      'Power off: busybox',
    );
    expect(search('pob', all)[0]?.title).toBe('Power off: busybox');
    expect(search('split', all)).toEqual(titles('Split: this tab to the right'));
    expect(search('xq', all)).toEqual([]);
    expect(search('  ', all)).toEqual(all);
  });

  test('finds every command by its whole title', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), (names) => {
        const all = titles(...names);
        for (const item of all) expect(search(item.title, all)).toContain(item);
      }),
    );
  });
});

test('Ctrl makes control characters of letters, as a terminal has them', () => {
  expect(controlCharacter('c')).toBe('\x03');
  expect(controlCharacter('[')).toBe('\x1b');
  expect(controlCharacter('é')).toBeUndefined();
  expect(controlCharacter('Shift')).toBeUndefined();
});
