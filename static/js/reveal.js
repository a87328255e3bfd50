/* Lets a person see the password being typed; without this file the field just stays hidden. */
for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  const words = [button.textContent, button.dataset.other];
  const labels = [button.getAttribute("aria-label"), button.dataset.otherLabel];
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = words[Number(shown)];
    button.setAttribute("aria-label", labels[Number(shown)]);
  };
  button.hidden = false;
  button.addEventListener("click", () => show(input.type === "password"));
  // The browser must see a password field when it offers to remember it.
  input.form?.addEventListener("submit", () => show(false));
}
