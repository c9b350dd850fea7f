"""What is wrong with the look of a view, measured: words cut off, things on top of each other, tiny type."""

SMALLEST = 11  # CSS pixels of type
# words of a text, as long as they are: here an ellipsis is meant, or a field that scrolls
SHORTENED = (".ck-word", ".ck-problem", ".ck-visits .ck-link", "[data-test=field-emphasize-piece]", "input[type=text]")

FAULTS = """(view, [smallest, shortened]) => {
    const faults = new Set();
    const test = el => (el.dataset?.test ? `[${el.dataset.test}]` : "");
    const name = el => `${el.tagName.toLowerCase()}${test(el)}.${el.getAttribute("class") ?? ""}`;
    const words = node => `${name(node.parentElement)} “${node.textContent.trim().slice(0, 40)}”`;
    const frame = view.getBoundingClientRect();
    const meet = (a, b) => ({ left: Math.max(a.left, b.left), right: Math.min(a.right, b.right),
        top: Math.max(a.top, b.top), bottom: Math.min(a.bottom, b.bottom) });
    const size = box => Math.min(box.right - box.left, box.bottom - box.top);

    /* Whether words are too long for the box of a control. */
    const pen = document.createElement("canvas").getContext("2d");
    const written = (words, el) => {
        const style = getComputedStyle(el);
        pen.font = style.font;
        const room = el.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
        return pen.measureText(words).width > room + 1;
    };

    /* The part of a box that is seen; what hides some of it without a scrollbar or an ellipsis is a fault. */
    const seen = (box, from, said) => {
        let left = meet(box, box);
        for (let el = from; el && view.contains(el); el = el.parentElement) {
            const style = getComputedStyle(el);
            if (style.overflowX === "visible" && style.overflowY === "visible") continue;
            const room = el.getBoundingClientRect(), rest = meet(left, room);
            const cut = ["left", "right", "top", "bottom"].some(side => Math.abs(rest[side] - left[side]) > 1.5);
            const meant = !/hidden|clip/.test(style.overflowX) || shortened.some(s => el.closest(s));
            if (cut && !meant) faults.add(`cut off: ${said}, by ${name(el)}`);
            left = rest;
        }
        return left;
    };

    const things = [];
    const walker = document.createTreeWalker(view, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode()); ) {
        const parent = node.parentElement;
        if (!node.textContent.trim() || !parent.checkVisibility()) continue;
        if (parent.closest(".ck-unseen, option, textarea, style")) continue;
        const px = parseFloat(getComputedStyle(parent).fontSize);
        if (px < smallest) faults.add(`${px} px: ${words(node)}`);
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const box of range.getClientRects()) {
            const left = seen(box, parent, words(node));
            const out = left.left < frame.left - 1 || left.right > frame.right + 1;
            if (out) faults.add(`out of the view: ${words(node)}`);
            // the ink of a line is lower than its box
            const slack = Math.max(0, (left.bottom - left.top - px) / 2);
            const ink = { ...left, top: left.top + slack, bottom: left.bottom - slack };
            if (size(left) > 1) things.push({ at: parent, said: words(node), box: ink });
        }
    }
    for (const el of view.querySelectorAll("button, select, input, textarea, summary, svg, progress")) {
        if (!el.checkVisibility() || el.closest(".ck-unseen, svg svg")) continue;
        const px = parseFloat(getComputedStyle(el).fontSize);
        if (px < smallest) faults.add(`${px} px: ${name(el)}`);
        const typed = el.matches("input[type=number], input[type=text]") ? el.value || el.placeholder : "";
        const shown = el.matches("select") ? el.selectedOptions[0]?.text : typed;
        const long = shown && written(shown, el) && !shortened.some(s => el.matches(s));
        if (long) faults.add(`cut off: ${name(el)} “${shown}”`);
        const left = seen(el.getBoundingClientRect(), el.parentElement, name(el));
        if (size(left) > 1) things.push({ at: el, said: name(el), box: left });
    }
    const one = el => el.closest("label, .ck-slider, svg, [role=grid]") ?? el;
    for (let i = 0; i < things.length; i++) {
        for (let j = i + 1; j < things.length; j++) {
            const [a, b] = [things[i], things[j]];
            if (size(meet(a.box, b.box)) <= 1.5) continue;
            const inside = a.at.contains(b.at) || b.at.contains(a.at);
            if (inside || (one(a.at) === one(b.at) && !a.at.closest("svg"))) continue;
            faults.add(`on top of each other: ${a.said} and ${b.said}`);
        }
    }
    for (const el of [view, ...view.querySelectorAll("*")]) {
        const slides = /auto|scroll/.test(getComputedStyle(el).overflowX) && el.scrollWidth > el.clientWidth + 1;
        const meant = el.matches(".ck-table") && !el.closest(".ck-lens"); // as many columns as there are tokens
        if (slides && el.checkVisibility() && !meant) faults.add(`scrolls sideways: ${name(el)}`);
    }
    if (view.scrollWidth > view.clientWidth + 1) faults.add("wider than its place");
    return [...faults];
}"""


def faults_of(root) -> list[str]:
    """What a person would call wrong with the look of the view `root`, in words; nothing where it is in order."""
    return root.evaluate(FAULTS, [SMALLEST, SHORTENED])
