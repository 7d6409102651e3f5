/** For typedoc: a page is called what its first heading says, in place of its file's name. */
import { readFileSync } from 'node:fs';
import { Converter } from 'typedoc';

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, page) => {
    const file = page.project.files.getReflectionPath(page);
    const [, heading] = /^# (.*)$/mu.exec(readFileSync(file, 'utf8')) ?? [];
    if (heading !== undefined) page.name = heading;
  });
}
