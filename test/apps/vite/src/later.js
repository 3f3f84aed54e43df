export function show() {
  document.body.append(`loaded later, made by ${import.meta.env.MODE}`);
}
