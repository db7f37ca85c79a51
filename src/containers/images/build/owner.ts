import { ImageStoreError } from '../image-store-error.ts';
import { concat } from '../tar-writer.ts';
import type { TreeView } from './tree-view.ts';

/**
 * Numbers of `user[:group]`; names are looked up in the image's own files.
 * @throws {ImageStoreError} invalid
 */
export async function ownerOf(view: TreeView, text: string): Promise<{ uid: number; gid: number }> {
  const [user = '', group] = text.split(':');
  const passwd = await linesOf(view, 'etc/passwd');
  const entry = passwd.find((fields) => fields[0] === user || fields[2] === user);
  const uid = /^\d+$/.test(user) ? Number(user) : Number(entry?.[2]);
  if (!Number.isInteger(uid)) {
    throw new ImageStoreError(
      'invalid',
      `unable to convert uid/gid chown string to host mapping: can't find uid for user ${user}: no such user: ${user}`,
    );
  }
  // Without a group, that of the user's number, as docker has it.
  if (group === undefined || group === '')
    return { uid, gid: /^\d+$/.test(user) ? uid : Number(entry?.[3] ?? uid) };
  const groups = await linesOf(view, 'etc/group');
  const gid = /^\d+$/.test(group) ? Number(group) : Number(groups.find((fields) => fields[0] === group)?.[2]);
  if (!Number.isInteger(gid)) {
    throw new ImageStoreError(
      'invalid',
      `unable to convert uid/gid chown string to host mapping: can't find gid for group ${group}: no such group: ${group}`,
    );
  }
  return { uid, gid };
}

async function linesOf(view: TreeView, path: string): Promise<string[][]> {
  const node = await view.find(path);
  if (node?.kind !== 'file' || node.attributes.size > 1 << 20) return [];
  const parts: Uint8Array[] = [];
  for await (const bytes of view.bytes(node)) parts.push(bytes);
  return new TextDecoder()
    .decode(concat(parts))
    .split('\n')
    .map((line) => line.split(':'));
}
