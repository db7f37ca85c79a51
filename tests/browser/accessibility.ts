import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** What axe-core would have mended on the page as it is now: rule, and the elements that break it. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // The page's content security policy lets no script in but its own; the debugger's may.
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: typeof axe }).axe.run(document, {
      resultTypes: ['violations'],
    });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(
        ({ html, failureSummary }) => `${id}: ${html.slice(0, 160)}: ${failureSummary?.slice(0, 200)}`,
      ),
    );
  });
}
