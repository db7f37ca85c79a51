import { GuestError } from '../../../guests/guest-error.ts';

/**
 * Names of the programs in a BusyBox, read from its own table of them: sorted names that end with a NUL each, an empty
 * one behind the last. To ask the program itself takes a machine that runs it.
 * @throws {GuestError} format
 */
export function busyboxApplets(program: Uint8Array): string[] {
  const text = new TextDecoder('latin1').decode(program);
  for (const match of text.matchAll(/\[\0\[\[\0(?:[\w.+-]{1,30}\0){50,1000}\0/g)) {
    const names = match[0].split('\0').filter((name) => name !== '');
    const isSorted = names.every((name, index) => index === 0 || names[index - 1]! < name);
    if (isSorted && names.includes('sh') && names.includes('ls')) return names;
  }
  throw new GuestError('format', 'the program busybox has no table of applets that could be read');
}
