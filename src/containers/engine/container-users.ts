import { EngineError } from './engine-error.ts';

/** Who a process is. */
export interface ProcessUser {
  uid: number;
  gid: number;
  additionalGids: number[];
  home: string;
}

const LARGEST_ID = 2 ** 31 - 1;
const ID = /^\d{1,10}$/;

const rows = (text: string) =>
  text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4);

/**
 * Finds a user as `--user NAME|UID[:GROUP|GID]` names it, in the image's own /etc/passwd and /etc/group.
 * @throws {EngineError} 400 for a name that is not there
 */
export function findUser(
  given: string,
  passwd: string,
  group: string,
  groupAdd: readonly string[] = [],
): ProcessUser {
  const [name = '', groupName] = given.split(':', 2);
  const users = rows(passwd);
  const groups = rows(group);
  const wanted = name === '' ? '0' : name;
  const user = users.find((fields) => fields[0] === wanted) ?? users.find((fields) => fields[2] === wanted);
  if (user === undefined && !ID.test(wanted)) {
    throw new EngineError(400, `unable to find user ${wanted}: no matching entries in passwd file`);
  }
  const groupNumber = (text: string) => {
    const found = groups.find((fields) => fields[0] === text);
    if (found === undefined && !ID.test(text)) {
      throw new EngineError(400, `unable to find group ${text}: no matching entries in group file`);
    }
    return checkId(found?.[2] ?? text);
  };
  const gid = groupName === undefined ? checkId(user?.[3] ?? '0') : groupNumber(groupName);
  const member = (fields: string[]) => user !== undefined && (fields[3] ?? '').split(',').includes(user[0]!);
  const own = groupName === undefined ? groups.filter(member).map((fields) => checkId(fields[2]!)) : [];
  const additionalGids = [...new Set([gid, ...own, ...groupAdd.map(groupNumber)])];
  const home = user?.[5] || '/';
  return { uid: checkId(user?.[2] ?? wanted), gid, additionalGids, home };
}

function checkId(text: string): number {
  const id = ID.test(text) ? Number(text) : Number.NaN;
  if (id <= LARGEST_ID) return id;
  throw new EngineError(400, `uids and gids must be in range 0-${LARGEST_ID}`);
}
