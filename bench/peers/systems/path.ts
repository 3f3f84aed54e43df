/** Where servers are installed that not every user has on their PATH: on Debian, nginx and HAProxy. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Adds those folders behind everything that is on a PATH, so that nothing is found elsewhere than before. */
export function withSystemFolders(path: string): string {
  const folders = path.split(':');
  return [...folders, ...SYSTEM_FOLDERS.filter((folder) => !folders.includes(folder))].join(':');
}
