/**
 * Loaded before the program (electron -r). Playwright puts switches of its own in front of the program's folder, where the
 * program expects to find that folder first and documents to open after it; this puts the arguments back into that order.
 */
const at = process.argv.indexOf('.');
if (at > 1) process.argv.splice(1, at - 1);
