// What is wrong with how a page is laid out, one line each; an empty list when nothing is. Colours do not matter here.
() => {
  const wrong = [];
  const root = document.documentElement;
  const width = root.clientWidth;
  const named = (element) => {
    const name = element.tagName.toLowerCase() + (element.id ? `#${element.id}` : "") +
      [...element.classList].map((each) => `.${each}`).join("");
    const text = (element.innerText ?? element.value ?? "").trim().replace(/\s+/g, " ").slice(0, 40);
    return text ? `${name} “${text}”` : name;
  };
  // Shown to eyes: not hidden, not folded away, not the text for screen readers alone.
  const hidden = new Map();
  const isShown = (element) => {
    if (!element || element === document) return true;
    if (!hidden.has(element)) {
      const style = getComputedStyle(element);
      const isOut = style.display === "none" || style.visibility !== "visible" || style.clipPath !== "none" ||
        (element.parentElement?.tagName === "DETAILS" && !element.parentElement.open && element.tagName !== "SUMMARY");
      hidden.set(element, isOut || !isShown(element.parentElement));
    }
    return !hidden.get(element);
  };
  const scrolls = (element) => {
    for (let each = element; each && each !== document.body; each = each.parentElement) {
      if (/auto|scroll/.test(getComputedStyle(each).overflowX)) return true;
    }
    return false;
  };
  const all = [...document.body.querySelectorAll("*")].filter((each) => !each.closest("svg, script, template") && isShown(each));

  // 1. Nothing is wider than the window.
  if (root.scrollWidth > window.innerWidth) wrong.push(`the page scrolls sideways (${root.scrollWidth} > ${window.innerWidth})`);
  for (const each of all) {
    const box = each.getBoundingClientRect();
    if (box.width && box.height && (box.left < -1 || box.right > width + 1) && !scrolls(each.parentElement) && !each.matches(".skip"))
      wrong.push(`stands out of the window: ${named(each)} (${Math.round(box.left)}–${Math.round(box.right)} of ${width})`);
  }

  // 2. The content stands in the middle, is wide enough to read, and begins on the first screen.
  const main = document.querySelector("main");
  const columns = main ? [...main.children].filter((each) => each.matches(".column, .wide, .account, .bar, .messages") && isShown(each)) : [];
  if (!columns.length) wrong.push("main has no column");
  for (const column of columns) {
    const box = column.getBoundingClientRect();
    const left = box.left, right = width - box.right;
    if (Math.abs(left - right) > 2) wrong.push(`not in the middle: ${named(column).slice(0, 40)} (${Math.round(left)} left, ${Math.round(right)} right of it)`);
    if (box.width < Math.min(width - 40, 440)) wrong.push(`too narrow: ${named(column).slice(0, 40)} (${Math.round(box.width)})`);
  }
  // By what somebody has unfolded above it, as the menu of the back-office on a phone.
  const isPushedDown = (title) => [...document.querySelectorAll("main details[open]")].some((each) => each.compareDocumentPosition(title) & Node.DOCUMENT_POSITION_FOLLOWING);
  const titles = [...document.querySelectorAll("h1")].filter(isShown);
  if (titles.length !== 1) wrong.push(`${titles.length} headings of the first rank`);
  else if (titles[0].getBoundingClientRect().top + scrollY > window.innerHeight * 0.6 && !isPushedDown(titles[0])) wrong.push("the heading is below the first screen");

  // The header is one row; on a phone the menu stands below, and where one signs in.
  const parts = [...document.querySelectorAll(".site-header .bar > *")].filter((each) => isShown(each) && (width > 900 || !each.matches("nav, .sign-in-links")));
  const middles = parts.map((each) => each.getBoundingClientRect()).map((box) => box.top + box.height / 2);
  if (parts.length && Math.max(...middles) - Math.min(...middles) > 4) wrong.push(`the header is no row: ${named(parts.at(-1)).slice(0, 40)}`);

  // 3. A heading stands above what it is the heading of.
  for (const heading of document.querySelectorAll("main :is(h1, h2, h3)")) {
    if (!isShown(heading) || heading.closest("nav")) continue;
    let next = heading.nextElementSibling;
    while (next && !(isShown(next) && next.getBoundingClientRect().height)) next = next.nextElementSibling;
    // In a row made to hold both (a headline with its mark) they stand side by side on purpose.
    if (!next || heading.parentElement.matches(".headline, .key-status, .top, header")) continue;
    const above = heading.getBoundingClientRect(), below = next.getBoundingClientRect();
    if (below.top < above.bottom - 1) wrong.push(`not below its heading: ${named(next)} beside ${named(heading)}`);
  }

  // 4. No text is cut: what holds it back is not smaller than it.
  for (const each of all) {
    const style = getComputedStyle(each);
    const own = [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!own || style.display === "inline") continue;
    const cuts = /hidden|clip/.test(style.overflowX + style.overflowY);
    const isBox = each.matches("button, .button, .tag, .mark, summary, th, td, label");
    if ((cuts || isBox) && (each.scrollWidth > each.clientWidth + 1 || (cuts && each.scrollHeight > each.clientHeight + 1)))
      wrong.push(`cut: ${named(each)} (${each.scrollWidth} in ${each.clientWidth})`);
  }
  // A select says nothing of what it cuts: one with the chosen option alone shows how wide it wants to be.
  for (const field of all.filter((each) => each.matches("select:not([multiple])") && each.selectedOptions.length)) {
    const whole = field.cloneNode(false);
    whole.append(field.selectedOptions[0].cloneNode(true));
    whole.removeAttribute("id");
    Object.assign(whole.style, { position: "absolute", visibility: "hidden", width: "auto", minWidth: "0", maxWidth: "none" });
    field.after(whole);
    const [needed, given] = [whole.offsetWidth, field.offsetWidth];
    whole.remove();
    if (needed > given + 1) wrong.push(`cut: ${named(field).slice(0, 40)} “${field.selectedOptions[0].text}” (${needed} in ${given})`);
  }
  for (const frame of all.filter((each) => each.matches(".card, .message, .field, main details")))
    if (getComputedStyle(frame).overflowY === "visible" && frame.scrollHeight > frame.clientHeight + 2)
      wrong.push(`flows out: ${named(frame)} (${frame.scrollHeight} in ${frame.clientHeight})`);

  // 5. No text lies on another.
  const lines = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!node.data.trim() || parent.closest("svg, script, style, template, option, noscript") || !isShown(parent)) continue;
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 1 && box.height > 1) lines.push([box, parent]);
  }
  lines.sort((one, other) => one[0].top - other[0].top);
  for (let i = 0; i < lines.length; i++) {
    const [one, from] = lines[i];
    for (let j = i + 1; j < lines.length && lines[j][0].top < one.bottom - 3; j++) {
      const [other, to] = lines[j];
      const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      // Lines of a tight heading touch; a third of the height is more than that.
      const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (across > 2 && down > Math.min(one.height, other.height) * 0.34 && !from.closest(".menu-panel, .side") && !to.closest(".menu-panel, .side"))
        wrong.push(`on each other: ${named(from)} and ${named(to)}`);
    }
  }

  // 6. What is tapped is 24 by 24 pixels, or has that much space around it (WCAG 2.5.8); links within running text may be small.
  const targets = all.filter((each) => each.matches("a[href], button, summary, select, textarea, input:not([type=hidden])"));
  // What lies under an open menu cannot be hit at all, until that is closed.
  const isCovered = (box, element) => {
    const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    return top && !element.contains(top) && !top.contains(element) && top.closest(".menu-panel");
  };
  for (const each of targets) {
    const box = each.getBoundingClientRect();
    if (!box.width || each.matches(".skip, .visually-hidden") || isCovered(box, each)) continue;
    const label = each.matches("input") && each.labels?.[0]?.getBoundingClientRect();
    const high = Math.max(box.height, label?.height ?? 0), wide = Math.max(box.width, label?.width ?? 0);
    const words = each.parentElement.innerText?.trim() ?? "";
    const inSentence = getComputedStyle(each).display.startsWith("inline") && words.length > (each.innerText ?? "").trim().length;
    if ((high < 23.5 || wide < 23.5) && !inSentence) {
      const near = targets.some((other) => {
        if (other === each || other.contains(each) || each.contains(other)) return false;
        const its = other.getBoundingClientRect();
        const x = box.left + box.width / 2, y = box.top + box.height / 2;
        const dx = Math.max(its.left - x, 0, x - its.right), dy = Math.max(its.top - y, 0, y - its.bottom);
        return its.width && Math.hypot(dx, dy) < 12;
      });
      if (near) wrong.push(`hard to hit: ${named(each)} (${Math.round(wide)}×${Math.round(high)})`);
    }
  }

  // 7. Pictures and letters have come.
  for (const image of document.images) if (isShown(image) && !image.naturalWidth) wrong.push(`a picture is missing: ${image.src}`);
  if (!document.fonts.check("16px Inter")) wrong.push("the letters of Inter have not come");
  return [...new Set(wrong)];
}
