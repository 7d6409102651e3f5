/** Adds a line to the list of the last events. */
export function log(who: string, type: string, details: string): void {
  const line = document.createElement('li');
  const word = document.createElement('b');
  word.textContent = type;
  line.append(`${who} `, word, ` ${details}`);
  const list = document.querySelector('ol')!;
  list.prepend(line);
  while (list.childElementCount > 8) list.lastElementChild?.remove();
}

export function heading(text: string): HTMLElement {
  const element = document.createElement('h2');
  element.textContent = text;
  return element;
}

export function addOutput(box: HTMLElement, name: string): HTMLElement {
  const line = document.createElement('p');
  const output = document.createElement('output');
  output.dataset['show'] = name;
  output.textContent = '–';
  line.append(`${name} `, output);
  box.append(line);
  return output;
}

export function addButton(box: HTMLElement, name: string, label: string, act: () => Promise<void>): void {
  const button = document.createElement('button');
  Object.assign(button, { type: 'button', textContent: label, name });
  button.addEventListener('click', () => void act());
  box.append(button);
}

export function control(name: string): HTMLInputElement {
  return document.querySelector<HTMLInputElement>(`[name='${name}']`)!;
}

export function pause(duration: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration));
}
