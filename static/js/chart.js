// Tells the exact value of a chart's point under the pointer, or at the arrow keys. Without it the table and the
// browser's own tooltips tell the same.
"use strict";

(() => {
  const words = new WeakMap();

  const says = (mark) => {
    if (!words.has(mark)) {
      const title = mark.querySelector("title");
      words.set(mark, title.textContent);
      title.remove();
    }
    return words.get(mark);
  };

  const show = (plot, mark) => {
    for (const other of plot.querySelectorAll(".marks .at")) other.classList.remove("at");
    mark?.classList.add("at");
    plot.closest(".chart").querySelector(".reading").textContent = mark ? says(mark) : "";
  };

  const markOf = (event) => event.target.closest?.(".plot .marks > g");

  document.addEventListener("pointerover", (event) => {
    const mark = markOf(event);
    if (mark) show(mark.closest(".plot"), mark);
  });

  document.addEventListener("pointerout", (event) => {
    const plot = event.target.closest?.(".plot");
    if (plot && !plot.contains(event.relatedTarget)) show(plot, null);
  });

  document.addEventListener("focusin", (event) => {
    if (event.target.matches(".plot")) show(event.target, event.target.querySelector(".marks > g:last-child"));
  });

  document.addEventListener("focusout", (event) => {
    if (event.target.matches(".plot")) show(event.target, null);
  });

  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.(".plot")) return;
    const marks = [...event.target.querySelectorAll(".marks > g")];
    const at = marks.findIndex((mark) => mark.classList.contains("at"));
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: marks.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    show(event.target, marks[Math.min(Math.max(next, 0), marks.length - 1)]);
  });
})();
