// The chord of the command palette: one that no guest's shell has. Cmd+K on a Mac, Ctrl+Shift+K elsewhere: terminals
// have no code for either. Outside of a console Ctrl+K does as well.

export const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);
export const PALETTE_CHORD = isMac ? '⌘K' : 'Ctrl+Shift+K';

/** Calls back when the chord is pressed, wherever on the page. */
export function onPaletteChord(open: () => void): void {
  window.addEventListener(
    'keydown',
    (event) => {
      if (event.code !== 'KeyK' || event.altKey) return;
      const inConsole = event.target instanceof Element && event.target.closest('.screen') !== null;
      const isChord =
        (event.metaKey && !event.ctrlKey && isMac) ||
        (event.ctrlKey && !event.metaKey && (event.shiftKey || !inConsole));
      if (!isChord) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (document.querySelector('dialog[open]') === null) open();
    },
    { capture: true },
  );
}
