import { OPTIONS, type OptionName } from '../options/options.ts';
import { specOf, writeDefault } from '../options/read-options.ts';
import { Option } from './commander.ts';

/** The flag of an option: `readyTimeout` is `--ready-timeout`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The flags of `run` that the table of options makes. All of them take a value. */
export function createOptionFlags(): Option[] {
  return (Object.keys(OPTIONS) as OptionName[]).map((name) => {
    const spec = OPTIONS[name];
    const repeatable = 'repeatable' in spec;
    const about = repeatable ? `${spec.about} Repeatable.` : `${spec.about}${showDefault(name)}`;
    const option = new Option(`${flagOf(name)} ${spec.value}`, about);
    if (repeatable) option.argParser((value: string, all: string[] | undefined) => [...(all ?? []), value]);
    return option;
  });
}

/** The flags by which the other commands find their supervisor. */
export function createPlaceFlags(): Option[] {
  return [
    new Option(`--name ${OPTIONS.name.value}`, 'Which supervisor, by the name of its app.'),
    new Option(`--socket ${OPTIONS.socket.value}`, 'Which supervisor, by the path of its control socket.'),
    createJsonFlag()
  ];
}

export function createJsonFlag(): Option {
  return new Option('--json', 'Print exactly one JSON object on stdout, failures included.');
}

/** A default that the description does not say already. */
function showDefault(name: OptionName): string {
  return specOf(name).fallback === null ? '' : ` Default: ${writeDefault(name)}.`;
}
