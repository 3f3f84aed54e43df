document.body.append(`made by ${import.meta.env.MODE}`);
// What is loaded later is what browsers miss after a deploy.
document.body.onclick = async () => (await import('./later.js')).show();
