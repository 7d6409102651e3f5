/** For typedoc: a page is called what its first heading says, and a module what one imports. */
import { readFileSync } from 'node:fs';
import { Converter } from 'typedoc';

const importedAs = { index: 'aiocachetools', redis: 'aiocachetools/redis' };

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, page) => {
    const file = page.project.files.getReflectionPath(page);
    const [, heading] = /^# (.*)$/mu.exec(readFileSync(file, 'utf8')) ?? [];
    if (heading !== undefined) page.name = heading;
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) module.name = importedAs[module.name] ?? module.name;
  });
}
