// Sends what stands in a form of the API page, with the key that was typed; the key stays in this page's memory.
for (const form of document.querySelectorAll("[data-try]")) {
  const said = form.querySelector("output");
  const shown = form.querySelector("pre");
  form.querySelector("button").addEventListener("click", async () => {
    said.textContent = "…";
    const began = performance.now();
    try {
      const answer = await fetch(form.dataset.try, {
        method: "POST",
        credentials: "omit",
        headers: {
          "Content-Type": "application/json",
          Authorization: `Bearer ${document.getElementById("try-key").value.trim()}`,
        },
        body: form.querySelector("textarea").value,
      });
      const body = await answer.text();
      said.textContent = `${answer.status}, ${Math.round(performance.now() - began)} ms`;
      shown.textContent = pretty(body);
    } catch (error) {
      said.textContent = "It could not be sent.";
      shown.textContent = String(error);
    }
    shown.hidden = false;
  });
}

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
