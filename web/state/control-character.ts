/** What Ctrl makes of a character: the low five bits of what lies between @ and _. */
export function controlCharacter(key: string): string | undefined {
  const code = key.toUpperCase().charCodeAt(0);
  return key.length === 1 && code >= 0x40 && code <= 0x5f ? String.fromCharCode(code & 0x1f) : undefined;
}
