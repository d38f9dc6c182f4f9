"""The app: `streamlit run app.py`. The frame and the list of pages stand in `efficiency/ui/frame.py`."""

from efficiency.ui import frame

frame.run()
