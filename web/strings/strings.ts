// The page's words in the language that is chosen: `strings` is what to show now.
import type { StopReason } from 'hypertab';
import { en } from './en.ts';
import { zhCn } from './zh-cn.ts';

/** A language has every word of the English one: what is missing does not compile. */
export type Strings = typeof en;

/** The languages there are: their tags (BCP 47), and their names as their readers write them. */
export const LANGUAGES = { en: 'English', 'zh-CN': '简体中文' } as const;
export type Language = keyof typeof LANGUAGES;

const words: Record<Language, Strings> = { en, 'zh-CN': zhCn };

/** The words to show. Read it when something is shown, never when a module is loaded: it changes. */
export let strings: Strings = en;

export function isLanguage(value: unknown): value is Language {
  return typeof value === 'string' && Object.hasOwn(LANGUAGES, value);
}

/** The language for what a browser prefers (navigator.languages): the first that is there, else English. */
export function preferredLanguage(preferences: readonly string[]): Language {
  for (const tag of preferences) {
    const [primary] = tag.toLowerCase().split('-');
    if (primary === 'zh') return 'zh-CN';
    if (primary === 'en') return 'en';
  }
  return 'en';
}

/** What the choice of languages is called: in English too, for whoever has come to one that he cannot read. */
export function languageLabel(): string {
  return strings.language === en.language ? en.language : `${strings.language} / ${en.language}`;
}

/** From now on `strings` has the words of this language; whoever shows some must show them again. */
export function useLanguage(language: Language): void {
  strings = words[language];
}

/** Why a machine stopped, in a sentence. */
export function reasonSentence(reason: StopReason): string {
  const { reasons } = strings;
  switch (reason.kind) {
    case 'poweroff':
      return reasons.poweroff;
    case 'reboot':
      return reasons.reboot;
    case 'exit':
      return reason.code === 0 ? reasons.success : reasons.exit(reason.code);
    case 'panic':
    case 'fault':
    case 'limit':
      return reasons[reason.kind](reason.message);
  }
}

/** Title and description of a guest in the chosen language, where we have them; else as the server has them. */
export function guestWords(guest: { name: string; title: string; description: string }) {
  return (Object.hasOwn(strings.guests, guest.name) && strings.guests[guest.name]) || guest;
}
