import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** The anchor that GitHub gives a heading. */
export function anchorOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/gu, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/gu, '-');
}

export function anchorsIn(text: string): Set<string> {
  const prose = withoutCode(text);
  const headings = [...prose.matchAll(/^#+ (.*)$/gmu)].map(([, heading = '']) => anchorOf(heading));
  const given = [...prose.matchAll(/<a id="([^"]+)"/gu)].map(([, id = '']) => id);
  return new Set([...headings, ...given]);
}

/** Links of a page to files that do not exist, and to headings that no file has. */
export function brokenLinks(page: string): string[] {
  const prose = withoutCode(readFileSync(page, 'utf8'));
  const links = [...prose.matchAll(/\]\((?!https?:)([^)\s]+)\)/gu)].map(([, target = '']) => target);
  return links.filter((link) => {
    const [path = '', anchor] = link.split('#');
    const file = path === '' ? page : normalize(join(dirname(page), path));
    if (!existsSync(file)) return true;
    return anchor !== undefined && !anchorsIn(readFileSync(file, 'utf8')).has(anchor);
  });
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gmu, '');
}
