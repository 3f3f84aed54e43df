/**
 * The fields of `/proc/<pid>/stat` from the state on: the name before it may have spaces and brackets in it.
 *
 * @source proc(5), whose field 3 is the first here
 */
export function readStatFields(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
