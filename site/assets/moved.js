// Leads from an old address to the new one; what stands behind the # goes along.
(() => {
  "use strict";
  const place = document.querySelector("[data-moved]");
  if (place) location.replace(new URL(place.dataset.moved, location.href).href + location.hash);
})();
