"""Pages and gate behind one name, as the proxy has them."""

from mailat import gate_urls, urls

urlpatterns = [*(one for one in gate_urls.urlpatterns if str(one.pattern) != "healthz"), *urls.urlpatterns]
handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
