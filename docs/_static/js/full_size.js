// Each figure is a link to itself in full size, which telephones can enlarge.
document.addEventListener('DOMContentLoaded', () => {
  for (const image of document.querySelectorAll('.bd-article img')) {
    if (image.closest('a')) continue;
    const link = document.createElement('a');
    link.href = image.src;
    link.className = 'full-size';
    link.title = 'Open the figure in full size';
    image.replaceWith(link);
    link.append(image);
  }
});
