"""HTML viewer: self-contained, drawn by a real browser, and reacting to its controls."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from gvhmr_da_mm.core.errors import DataError, MissingFilesError
from gvhmr_da_mm.structures import MotionDump
from gvhmr_da_mm.visualization import write_html_viewer

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
FLAGS = (
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--window-size=800,600', '--virtual-time-budget=20000', '--dump-dom',
)  # fmt: skip
DRIVER = """
<pre id="outcome"></pre>
<script>
const seen = {}, wait = (ms) => new Promise((done) => setTimeout(done, ms));
function shot() {  // a hash of the picture, and how many pixels have the colours of the bodies
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  let hash = 7, blue = 0, grey = 0, green = 0;
  for (let i = 0; i < pixels.length; i += 4) {
    const [r, g, b] = [pixels[i], pixels[i + 1], pixels[i + 2]];
    hash = (hash * 31 + r + 3 * g + 7 * b) % 4294967291;
    blue += b - r > 40;
    grey += r > 100 && Math.abs(r - b) < 14;
    green += g - r > 60 && g - b > 60;
  }
  return { hash, blue, grey, green, frame: state.frame, text: element('info').textContent };
}
function drag(dx, dy, buttons) {
  const at = (x, y) => ({ clientX: x, clientY: y, pointerId: 5, buttons, bubbles: true });
  canvas.dispatchEvent(new PointerEvent('pointerdown', at(300, 200)));
  canvas.dispatchEvent(new PointerEvent('pointermove', at(300 + dx, 200 + dy)));
  canvas.dispatchEvent(new PointerEvent('pointerup', at(300 + dx, 200 + dy)));
}
const press = (key) => window.dispatchEvent(new KeyboardEvent('keydown', { key }));
async function drive() {
  seen.start = shot();
  element('truth').click(); seen.alone = shot();
  element('truth').click(); seen.both = shot();
  if (data.meshes) { element('mesh').click(); seen.skeleton = shot(); element('mesh').click(); }
  drag(80, 30, 1); seen.turned = shot();
  element('reset').click(); seen.reset = shot();
  drag(80, 30, 2); seen.moved = shot(); element('reset').click();
  canvas.dispatchEvent(new WheelEvent('wheel', { deltaY: 600 })); seen.zoomed = shot();
  element('cameras').click(); seen.noCameras = shot(); press('c'); seen.cameras = shot();
  element('reset').click();
  element('frame').value = 20;
  element('frame').dispatchEvent(new Event('input')); seen.scrubbed = shot();
  element('follow').click(); seen.follow = shot(); element('follow').click();
  element('reset').click();
  element('frame').value = 3;
  element('frame').dispatchEvent(new Event('input')); seen.invalid = shot();
  press('ArrowRight'); seen.next = shot();
  element('play').click(); await wait(400); seen.playing = shot(); press(' ');
  seen.paused = shot(); await wait(300); seen.still = shot();
  seen.requests = performance.getEntriesByType('resource').length;
  try { await fetch('data:text/plain,a'); seen.fetched = true; } catch (e) { seen.fetched = false; }
}
drive().catch((error) => { seen.error = String(error && error.stack); }).then(() => {
  element('outcome').textContent = JSON.stringify(seen);
});
</script>
"""


@pytest.fixture
def dump(make_sample):
    return MotionDump(make_sample(shift_mm=150))


@pytest.fixture
def drive(tmp_path):
    """Open a page in a browser, use its controls and return the observed values."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f'needs a browser: none of {", ".join(BROWSERS)} is installed')

    def _drive(page, fragment=''):
        driven = tmp_path / 'driven.html'
        driven.write_text(page.read_text(encoding='utf-8').replace('</body>', f'{DRIVER}</body>'))
        profile = f'--user-data-dir={tmp_path / "profile"}'
        done = subprocess.run(
            [browser, *FLAGS, profile, driven.as_uri() + fragment],
            capture_output=True,
            text=True,
            timeout=120,
        )
        found = re.search(r'<pre id="outcome">(\{.*?\})</pre>', done.stdout, re.DOTALL)
        assert found, done.stderr[-2000:]
        seen = json.loads(found[1].replace('&lt;', '<').replace('&gt;', '>'))
        assert 'error' not in seen, seen['error']
        return seen

    return _drive


def test_a_browser_draws_and_reacts(dump, drive, tmp_path):
    seen = drive(write_html_viewer(tmp_path / 'page.html', dump, with_mesh=False))
    picture = {name: entry['hash'] for name, entry in seen.items() if isinstance(entry, dict)}
    assert seen['start']['blue'] > 300 and seen['start']['grey'] > 100
    assert seen['start']['green'] > 5  # contacts
    assert seen['alone']['grey'] < 0.2 * seen['start']['grey']
    assert seen['alone']['blue'] >= seen['start']['blue']
    for name in ('both', 'reset'):
        assert picture[name] == picture['start'], name
    assert picture['cameras'] == picture['zoomed'] != picture['noCameras']
    for name in ('alone', 'turned', 'moved', 'zoomed', 'scrubbed', 'playing'):
        assert picture[name] != picture['start'], name
    assert picture['follow'] != picture['scrubbed']
    assert seen['scrubbed']['frame'] == 20 and 'frame 20 / 39' in seen['scrubbed']['text']
    assert 'joint error 143 mm' in seen['scrubbed']['text']  # 21 of 22 joints are off by 150 mm
    assert 'joint error –' in seen['invalid']['text']
    assert seen['invalid']['grey'] < 0.2 * seen['start']['grey']
    assert seen['next']['frame'] == 4
    assert seen['playing']['frame'] not in (4, 5)
    assert seen['playing']['frame'] == seen['still']['frame']
    assert picture['paused'] == picture['still']
    assert seen['requests'] == 0 and seen['fetched'] is False


@pytest.mark.parametrize('fragment, frame', [('#7', 7), ('#700', 39), ('#end', 0)])
def test_a_page_opens_at_the_frame_of_its_address(dump, drive, tmp_path, fragment, frame):
    page = write_html_viewer(tmp_path / 'page.html', dump, with_mesh=False)
    assert drive(page, fragment)['start']['frame'] == frame


def test_a_browser_draws_meshes(dump, drive, toy_root, tmp_path):
    seen = drive(write_html_viewer(tmp_path / 'page.html', dump, toy_root))
    assert seen['start']['blue'] > 3000
    assert seen['start']['hash'] != seen['skeleton']['hash']
    assert seen['alone']['grey'] < 0.1 * seen['start']['grey']


def data_of(page):
    text = page.read_text(encoding='utf-8')
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_nothing_is_loaded_from_elsewhere(dump, tmp_path):
    text = write_html_viewer(tmp_path / 'new' / 'page.html', dump, with_mesh=False).read_text()
    assert "default-src 'none'" in text
    assert not re.search(r'https?://|\bsrc=|\bhref=|@import|url\(', text)
    assert not re.search(r'\{\{\w+\}\}', text)


def test_names_cannot_end_the_page(dump, tmp_path):
    dump.sample.set_metainfo(dict(sequence='</script><b>{{DATA}}'))
    page = write_html_viewer(tmp_path / 'page.html', dump, with_mesh=False)
    text = page.read_text()
    assert text.count('</script>') == 2
    assert '&lt;/script&gt;&lt;b&gt;{{DATA}}' in text


def test_joints_are_those_of_the_sample(dump, tmp_path):
    """Sixteen bits keep a tenth of a millimetre in a small world."""
    import base64

    from gvhmr_da_mm.visualization import ground_truth_track, prediction_track

    content = data_of(write_html_viewer(tmp_path / 'page.html', dump, with_mesh=False))
    prediction = prediction_track(dump.sample)
    truth = ground_truth_track(dump.sample).aligned_to(prediction)
    for body, track in zip(content['bodies'], (prediction, truth)):
        packed = body['joints']
        raw = np.frombuffer(base64.b64decode(packed['base64']), '<i2').reshape(-1, 22, 3)
        found = raw * packed['scale'] + packed['low']
        np.testing.assert_allclose(found, track.joints_w, atol=1e-4)


def test_without_labels(make_sample, tmp_path):
    dump = MotionDump(make_sample(with_gt=False))
    content = data_of(write_html_viewer(tmp_path / 'page.html', dump, with_mesh=False))
    assert [body['name'] for body in content['bodies']] == ['prediction']
    assert content['errors'] is None


def test_errors(dump, tmp_path):
    with pytest.raises(MissingFilesError, match='SMPLX_NEUTRAL'):
        write_html_viewer(tmp_path / 'page.html', dump, tmp_path)
    del dump.sample.pred_instances.transl_w
    with pytest.raises(DataError, match='transl_w'):
        write_html_viewer(tmp_path / 'page.html', dump, with_mesh=False)
    assert not list(tmp_path.glob('*.html'))
