// .dockerignore: patterns of Go's filepath.Match with ** besides, the last one that fits decides, ! takes back.

/** Whether a path of the context stays out of the build. */
export type Ignores = (path: string) => boolean;

/** Reads the patterns of a .dockerignore; a folder that fits takes all below it along. */
export function parseDockerignore(text: string): Ignores {
  const rules = text.split(/\r?\n/).flatMap((line) => {
    const pattern = line.trim();
    if (pattern === '' || pattern.startsWith('#')) return [];
    const keeps = pattern.startsWith('!');
    const path = cleanPattern(keeps ? pattern.slice(1).trim() : pattern);
    return path === '' ? [] : [{ keeps, matches: patternRegExp(path, true) }];
  });
  return (path) => {
    let ignored = false;
    for (const { keeps, matches } of rules) if (matches.test(path)) ignored = !keeps;
    return ignored;
  };
}

const cleanPattern = (pattern: string) =>
  pattern
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');

/**
 * A pattern as a regular expression over whole paths.
 * @param withBelow paths below one that fits fit as well
 */
export function patternRegExp(pattern: string, withBelow = false): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const sign = pattern[at]!;
    if (sign === '*' && pattern[at + 1] === '*') {
      while (pattern[at + 1] === '*') at++;
      if (pattern[at + 1] === '/') {
        at++;
        source += '(?:.*/)?';
      } else source += '.*';
    } else if (sign === '*') source += '[^/]*';
    else if (sign === '?') source += '[^/]';
    else if (sign === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end < 0) source += '\\[';
      else {
        const inside = pattern.slice(at + 1, end).replace(/[\\\]]/g, '\\$&');
        source += `[${inside}]`;
        at = end;
      }
    } else if (sign === '\\' && at + 1 < pattern.length) source += quote(pattern[++at]!);
    else source += quote(sign);
  }
  try {
    return new RegExp(`^${source}${withBelow ? '(?:/.*)?' : ''}$`, 's');
  } catch {
    // Such as a range backwards: it fits nothing.
    return /^(?!)/;
  }
}

const quote = (sign: string) => sign.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
