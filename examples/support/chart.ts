// What the stampede draws with: a bar chart, and a progress bar on a terminal.

export interface Row {
  readonly label: string;
  readonly value: number;
  /** The value as people read it. */
  readonly text: string;
}

const BAR_WIDTH = 40;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** Bars as long as their values; the longest is full. */
export function chart(title: string, rows: readonly Row[]): string {
  const most = Math.max(...rows.map((row) => row.value));
  const labels = Math.max(...rows.map((row) => row.label.length));
  const texts = Math.max(...rows.map((row) => row.text.length));
  const lines = rows.map(({ label, value, text }) => {
    const drawn = bar(most === 0 ? 0 : value / most, BAR_WIDTH).padEnd(BAR_WIDTH);
    return `  ${label.padEnd(labels)}  ${drawn}  ${text.padStart(texts)}`;
  });
  return [title, ...lines].join('\n');
}

/** A bar of `width` characters for a share of 1. What is not nothing can be seen. */
export function bar(share: number, width: number): string {
  const eighths = share <= 0 ? 0 : Math.max(1, Math.round(share * width * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
}

/** Where progress is shown: `process.stdout`. */
export interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const FRAME = 40;

/** On a terminal one line that moves while the work goes on; elsewhere only the line it ends with. */
export class Progress {
  readonly #screen: Screen;
  readonly #draw: () => string;
  readonly #timer: NodeJS.Timeout | undefined;

  /** @param draw The line as it looks now. */
  constructor(screen: Screen, draw: () => string) {
    this.#screen = screen;
    this.#draw = draw;
    if (screen.isTTY !== true) return;
    this.#redraw();
    this.#timer = setInterval(() => this.#redraw(), FRAME);
  }

  stop(lastLine: string): void {
    clearInterval(this.#timer);
    this.#screen.write(this.#screen.isTTY === true ? `\r\u001b[K${lastLine}\n` : `${lastLine}\n`);
  }

  #redraw(): void {
    this.#screen.write(`\r\u001b[K${this.#draw()}`);
  }
}
