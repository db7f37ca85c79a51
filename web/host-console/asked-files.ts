import { chosenFiles } from 'hypertab';
import type { AskedFiles } from './command-terminal.ts';

/**
 * Files of the user's: chosen in the browser's dialogue, saved as downloads.
 * @param noFile what is said when none was chosen
 */
export function askedFiles(noFile: string): AskedFiles {
  const choose = (change: (input: HTMLInputElement) => void) =>
    new Promise<File[]>((resolve, reject) => {
      const input = document.createElement('input');
      input.type = 'file';
      change(input);
      input.addEventListener('change', () => {
        const files = [...(input.files ?? [])];
        if (files.length === 0) reject(new Error(noFile));
        else resolve(files);
      });
      input.addEventListener('cancel', () => reject(new Error(noFile)));
      input.click();
    });
  const files: AskedFiles = {
    open: async () => (await choose(() => {}))[0]!,
    openFolder: async () => {
      const files = await choose((input) => {
        input.webkitdirectory = true;
      });
      // The first name is the folder's own.
      return files.map((file) => ({ path: file.webkitRelativePath.replace(/^[^/]*\//, ''), contents: file }));
    },
    save: async (name, bytes) => {
      // Of a type that browsers give no other name.
      const headers = { 'content-type': 'application/octet-stream' };
      const blob = await new Response(bytes as ReadableStream<Uint8Array<ArrayBuffer>>, { headers }).blob();
      const link = document.createElement('a');
      link.href = URL.createObjectURL(blob);
      link.download = name.replace(/^.*\//, '');
      link.click();
      // The download has begun by then, or it never will.
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    },
  };
  return { ...files, hostFiles: chosenFiles(files) };
}
