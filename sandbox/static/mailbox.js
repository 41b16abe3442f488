// Asks once a second whether a mail came, and shows the list anew if one did; not while the tab is hidden.
const mails = document.getElementById("mails");

async function look() {
  if (document.hidden) return;
  try {
    const answer = await (await fetch(mails.dataset.watch)).json();
    if (String(answer.newest) !== mails.dataset.newest) await refresh();
  } catch {
    // The sandbox is away; the next look may find it.
  }
}

async function refresh() {
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  const fresh = page.getElementById("mails");
  mails.innerHTML = fresh.innerHTML;
  mails.dataset.newest = fresh.dataset.newest;
}

setInterval(look, 1000);
