from matplotlib.figure import Figure

from gvhmr_da_mm.visualization.panels import frame_panel, legend_below


def test_a_panel_says_what_it_shows():
    axis = Figure().subplots()
    frame_panel(axis, 'losses', 'iteration', 'loss')
    assert (axis.get_title(), axis.get_xlabel(), axis.get_ylabel()) == (
        'losses',
        'iteration',
        'loss',
    )


def test_the_legend_names_what_has_a_name_and_hides_nothing():
    figure = Figure()
    axis = figure.subplots()
    axis.plot([0, 1], label='student')
    axis.plot([1, 0], label='teacher')
    axis.plot([1, 1])  # Its points behind a mean, say.
    for handles in (None, axis.get_lines()):
        legend_below(axis, handles)
        assert [text.get_text() for text in axis.get_legend().get_texts()] == ['student', 'teacher']
        figure.canvas.draw()
        box = axis.get_legend().get_window_extent()
        assert box.y1 <= axis.get_window_extent().y0
