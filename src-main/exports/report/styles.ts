/** The report's style sheet: dark on white, sizes in points, no colour that says something alone. */
export const styles = `
@page { margin: 14mm 15mm; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #1a1c1e; font: 10.5pt/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
main { max-width: 180mm; margin: 0 auto; padding: 8mm 0; }
@media print { main { max-width: none; padding: 0 0.5mm; } }
h1 { font-size: 17pt; margin: 0 0 1mm; }
h2 { font-size: 12.5pt; margin: 7mm 0 2mm; padding-bottom: 1mm; border-bottom: 0.3mm solid #c8ccd0; break-after: avoid; }
h3 { font-size: 11pt; margin: 0 0 1mm; }
p { margin: 0 0 2mm; }
.quiet { color: #555b61; }
.notice { border: 0.3mm solid #1a1c1e; padding: 1.5mm 3mm; margin: 3mm 0; font-weight: 600; }
.synthetic { background: #fff3cd; border: 0.3mm solid #8a6d00; padding: 1.5mm 3mm; margin: 3mm 0; font-weight: 600; }
.question { font-size: 12pt; font-weight: 600; }
ol.choices { list-style: none; margin: 1mm 0 2mm; padding: 0; }
table { border-collapse: collapse; width: 100%; margin: 1mm 0 2mm; }
th, td { text-align: left; vertical-align: top; padding: 0.8mm 3mm 0.8mm 0; border-bottom: 0.15mm solid #e2e5e8; }
th { font-weight: 600; white-space: nowrap; width: 42mm; }
td { overflow-wrap: anywhere; }
.step { break-inside: avoid; margin: 0 0 5mm; padding: 2mm 0 0; }
.rejected > .words { text-decoration: line-through; }
.look { display: flex; gap: 5mm; align-items: flex-start; margin: 2mm 0; }
.look > figure { flex: none; }
.beside { flex: 1; min-width: 0; }
.beside th { width: 24mm; white-space: normal; }
.crops { display: flex; flex-wrap: wrap; gap: 2mm; margin: 0 0 2mm; }
.provenance { font-size: 9pt; }
figure { margin: 0; break-inside: avoid; }
figure img, figure svg { display: block; background: #000; }
figcaption { font-size: 8.5pt; color: #555b61; margin-top: 0.8mm; max-width: 80mm; }
.hash { font: 8.5pt/1.4 ui-monospace, Consolas, "DejaVu Sans Mono", monospace; }
`;
