// The console works without this. With it: Copy, Share, "/" to search, ticking all rows at once.
const copy = async (button) => {
  const field = document.getElementById(button.dataset.copy);
  field.focus();
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    // Without https there is no clipboard; the text is selected, and this still copies it.
    document.execCommand("copy");
  }
  const label = button.dataset.label ?? button.textContent;
  button.dataset.label = label;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = label; }, 2000);
};

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}

for (const field of document.querySelectorAll("[data-select]")) {
  field.addEventListener("focus", () => field.select());
}

if (navigator.share) {
  for (const button of document.querySelectorAll("[data-share]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      // Closing the sheet without choosing rejects; that is an answer, not an error.
      navigator.share({ title: button.dataset.title, url: button.dataset.share }).catch(() => {});
    });
  }
}

// A typed date chooses its radio button; another button forgets the date.
for (const field of document.querySelectorAll("[data-chooses]")) {
  const buttons = field.form.elements[field.dataset.chooses];
  field.addEventListener("input", () => { if (field.value) buttons.value = field.dataset.choice; });
  for (const button of buttons) {
    button.addEventListener("change", () => {
      if (button.value !== field.dataset.choice) field.value = "";
    });
  }
}

for (const all of document.querySelectorAll("[data-tick-all]")) {
  const boxes = [...document.querySelectorAll(`input[name="${all.dataset.tickAll}"]`)];
  all.closest("[hidden]")?.removeAttribute("hidden");
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
  });
}

for (const shown of document.querySelectorAll("[data-ticked]")) {
  const boxes = [...document.querySelectorAll(`input[name="${shown.dataset.ticked}"]`)];
  const count = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    shown.textContent = `${ticked} ${shown.dataset.word}`;
    shown.hidden = !ticked;
  };
  document.addEventListener("change", count);
  // The browser ticks again what was ticked before the reader came back.
  window.addEventListener("pageshow", count);
}

// A chosen picture is shown as it will be: drawn, because no file of the reader is a source of images.
for (const field of document.querySelectorAll(".logo-input [type=file]")) {
  field.addEventListener("change", async () => {
    field.parentNode.querySelector("canvas")?.remove();
    try {
      const picture = await createImageBitmap(field.files[0]);
      const scale = Math.min(160 / picture.width, 48 / picture.height, 1);
      const canvas = document.createElement("canvas");
      canvas.className = "logo";
      canvas.width = Math.max(1, picture.width * scale);
      canvas.height = Math.max(1, picture.height * scale);
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      field.before(canvas);
    } catch {
      // No picture, or none chosen: the server says what is wrong with the file.
    }
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.querySelector(".tool-search input");
  event.preventDefault();
  if (search) {
    search.focus();
    search.select();
  } else {
    document.querySelector(".search-link a")?.click();
  }
});

// A filter applies when it is chosen; the button is for those who browse without this.
for (const choice of document.querySelectorAll(".list-tools select")) {
  choice.addEventListener("change", () => choice.form.requestSubmit());
}

// A page about work in progress looks again by itself, until the work is done.
const progress = document.querySelector("[data-refresh]");
if (progress) {
  setTimeout(() => window.location.reload(), 1000 * Number(progress.dataset.refresh));
}
