// Opens a file as a drive in a process or thread of its own, says how that went, and holds it until it is ended.
import { isMainThread, parentPort } from 'node:worker_threads';
import { FileBackend } from '../../src/storage/file-backend-node.ts';

const [path, access] = process.argv.slice(2) as [string, string];
const say = (word: string) =>
  isMainThread ? process.stdout.write(`${word}\n`) : parentPort!.postMessage(word);
const keepAlive = setInterval(() => {}, 1000);
try {
  const drive = await FileBackend.open(path, { readonly: access === 'read' });
  say(`holds ${drive.bytes}`);
} catch (error) {
  clearInterval(keepAlive);
  say((error as { kind?: string }).kind ?? String(error));
}
