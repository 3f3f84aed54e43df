const SECRET_NAME =
  /secret|token|passw|passphrase|credential|private|api_?key|_key$|^key$|database_url|dsn$|auth|cookie/i;
const SECRET_LENGTH = 4;

/** The password of a URL, such as that of a database. The app may have it from elsewhere than its environment. */
const URL_PASSWORD = /(\b[a-z][\w+.-]*:\/\/[^\s:/@]*:)[^\s/@]+@/gi;

/** Hides the values of environment variables that look like secrets, and passwords in URLs, for text that may quote them. */
export function hideSecrets(text: string, env: NodeJS.ProcessEnv): string {
  const secrets = Object.entries(env)
    .map(([name, value = '']) => ({ name, value }))
    .filter(({ name, value }) => value.length >= SECRET_LENGTH && SECRET_NAME.test(name));
  // The longest first: hiding a part of a secret would leave the rest of it to be read.
  secrets.sort((a, b) => b.value.length - a.value.length);
  const hidden = secrets.reduce((shown, { name, value }) => shown.replaceAll(value, `[${name}]`), text);
  return hidden.replace(URL_PASSWORD, '$1[password]@');
}
