import type { AskedFiles } from './command-terminal.ts';

/**
 * Files of the user's: chosen in the browser's dialogue, saved as downloads.
 * @param noFile what is said when none was chosen
 */
export function askedFiles(noFile: string): AskedFiles {
  return {
    open: () =>
      new Promise((resolve, reject) => {
        const input = document.createElement('input');
        input.type = 'file';
        input.addEventListener('change', () => {
          const [file] = input.files ?? [];
          if (file === undefined) reject(new Error(noFile));
          else resolve(file);
        });
        input.addEventListener('cancel', () => reject(new Error(noFile)));
        input.click();
      }),
    save: async (name, bytes) => {
      const blob = await new Response(bytes as ReadableStream<Uint8Array<ArrayBuffer>>).blob();
      const link = document.createElement('a');
      link.href = URL.createObjectURL(blob);
      link.download = name.replace(/^.*\//, '');
      link.click();
      // The download has begun by then, or it never will.
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    },
  };
}
