"""Signs of risk in Spanish, written for this project, by the constructs of crisis_en.

Text is folded before: accents and the tilde are gone. People write on both sides of the
Atlantic, with voseo, abbreviations (k, q, xa) and the word they use to pass filters
(desvivirse).
"""

from __future__ import annotations

MACROS = {
    "quiero": (
        r"quiero|kiero|quisiera|queria|quise|deseo|prefiero|preferiria|necesito|"
        r"ganas de|ganas d|pienso en|pensando en|pense en|pensado en|penso en|"
        r"pensar en|"
        r"planeo|intento|intente|intentar|voy a|vas a|iba a|decidi|decidido|me quiero|"
        r"me kiero|ideas de|pensamientos de|deseos de|idea de|tentada? de|mejor|solo|"
        r"se quiere|quiere|queria"
    ),
    "vida": r"la vida|mi vida",
    "otro": (
        r"el|la|lo|los|les|le|ellos|ella|todos|mi (?:jefe|jefa|marido|mujer|esposo|"
        r"esposa|padre|madre|papa|mama|padrastro|hermano|hermana|ex|novio|novia|"
        r"vecino|profesor|profe|hijo|hija|suegra|suegro|tio)|alguien|ese|esa"
    ),
    "agresor": (
        r"mi (?:marido|esposo|esposa|mujer|novio|novia|pareja|ex|padre|madre|papa|mama|"
        r"padrastro|madrastra|tio|tia|hermano|hijo|jefe|abuelo|primo|entrenador|"
        r"profesor)"
    ),
}

SIGNS: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("active_ideation", 0.86, (
        r"(?:<quiero>) (?:*morir|*morirme|*morirse|*morime|*matarme|*matarse|"
        r"*suicidarme|*suicidarse|*desvivirme|*desvivirse|*ahorcarme|*colgarme)",
        r"(?:me quiero|me kiero|m kiero|m quiero|me quisiera|se quiere|me gustaria|"
        r"me voy a|me iba a|se va a) "
        r"(?:*morir|*matar|*suicidar|*desvivir|*ahorcar|*colgar)",
        r"(?:*quitarme|*quitarse|quite|quitado|quitar) <vida>",
        r"(?:*acabar|*terminar) con (?:mi *vida|*todo(?! el| la)|mi "
        r"sufrimiento)",
        r"(?:pensamientos|ideas|ideacion|intentos?|tendencias?|plan) (?:de )?"
        r"(?:*suicidas?|*suicidio|de *muerte)",
        r"(?:*tirarme|*lanzarme|*aventarme|*arrojarme|saltar|me tiro|me lanzo|"
        r"me aviento) "
        r"(?:al|a la|del|de la|de un|de una|desde|por el|por la|por) .. ?"
        r"(?:*metro|*tren|*puente|*balcon|*ventana|*azotea|*rio|*vias?|*edificio|"
        r"*precipicio|*piso)",
        r"(?:me *mato|me *suicido|me *desvivo|me *ahorco|me *cuelgo)"
        r"(?! de (?:la )?(?:risa|hambre))",
        r"*quiero *dejar de (?:existir|respirar|vivir)", r"*dejar de (?:existir|vivir)",
        r"como (?:puedo |me )?(?:*morir|*matarme|*suicidarme|*mato|*suicido)",
        r"(?:me voy a|voy a|pienso|quiero) *cortarme (?:las )?(?:venas|munecas)",
        r"ojala (?:me|alguien me|dios me) (?:*maten|*mate|*muera|*muriera|*mataran)",
    )),
    ("passive_ideation", 0.7, (
        r"(?:ya )?no (?:quiero|kiero|deseo|tengo ganas de|aguanto|soporto) "
        r"(?:mas )?(?:seguir |estar )?(?:*vivir|*viviendo|*viva|*vivo|*existir|"
        r"*despertar|*despertarme|en este *mundo|mas en este *mundo|aqui en este "
        r"*mundo|*viviendo asi|*vivir mas)",
        r"(?:ojala|quisiera|quiero|prefiero|desearia|rezo|pido) .. "
        r"(?:no (?:*despertar|*despertara|*despierte|*existir|*existiera|haber "
        r"*nacido)|dormir(?:me)? y no *despertar|nunca haber *nacido)",
        r"no (?:*despertar|*despertara|*despertarme) (?:nunca|jamas|mas|manana)",
        r"(?:dormir|dormirme|durmiera|dormiria) .. (?:y )?(?:no|nunca) "
        r"(?:mas )?(?:*despertar|*despertara|*despertarme|*despertarse)",
        r"(?:estarian|estaria|estarias|viviria|vivirian|seria|serian) .. "
        r"(?:*mejor|*felices|*feliz|*tranquilos) *sin mi",
        r"*mejor *muerto", r"*mejor *muerta", r"*sin mi .. *mejor",
        r"no (?:le |les )?(?:veo|encuentro|hallo|tiene|halla) (?:ningun |el )?"
        r"*sentido (?:a |de )?(?:seguir )?(?:a )?(?:*vivir|*viviendo|la *vida|mi "
        r"*vida|seguir|nada)",
        r"(?:no )?(?:vale|merece) la pena (?:seguir )?(?:*vivir|*viviendo)",
        r"(?:cansado|cansada|harto|harta|aburrido|cansancio) de (?:*vivir|la *vida|"
        r"estar *vivo|estar *viva|*existir)",
        r"(?:para|pa|pq|por) que (?:sigo|seguir|vivo|vivir|estoy) (?:*aqui|*viviendo|"
        r"*viva|*vivo|*vivir)",
        r"(?:quiero|quisiera|ganas de|prefiero|mejor) *desaparecer"
        r"(?! (?:una|unos|un|el|este|de la oficina))",
        r"(?:que|si) (?:me|a mi me) (?:*lleve|*llevara|*atropelle|*atropella|"
        r"*atropellara) (?:dios|la muerte|de una vez|un|una|el)",
        r"(?:deberia|debi|tendria que|tenia que) (?:estar|haberme|haber) "
        r"(?:*muerto|*muerta|*morir)", r"*debi (?:*morir|*morirme) yo",
        r"(?:nunca|no) .. haber *nacido", r"me (?:da|daria) igual (?:*morir|*morirme)",
        r"no me importa(?:ria)? (?:si me )?(?:*morir|*morirme|*muero|*muriera)",
        r"nadie (?:me )?(?:*extranaria|*echaria de menos|notaria|lloraria) si .. "
        r"(?:*muero|*muriera|*desaparezco|*desapareciera|no *estuviera)",
        r"(?:si|cuando) (?:yo )?me (?:*muriera|*muero|*muera|*matara|*fuera) .. "
        r"(?:nadie|todos|alguien|les|mejor|nada)",
        r"nadie .. (?:*extranar|*extrana|*extranara|*llorar|*notar|*llorara) .. "
        r"(?:si|cuando) (?:me )?(?:*muero|*muera|*voy|*falto)",
        r"(?:irme|largarme|salir|partir|descansar) de (?:este|esta) (?:*mundo|*vida)",
        r"*desaparecer (?:para siempre|del mapa|del mundo|y ya|de una vez)",
        r"(?:fantaseo|sueno|pienso|pensando|imagino|imaginando) (?:con|en) (?:mi|la) "
        r"(?:propia )?*muerte",
        r"no (?:quiero|puedo) (?:estar|seguir) (?:mas )?(?:*aqui|*asi) (?:en este "
        r"mundo|ni un dia mas|viviendo)", r"sin ganas de *vivir",
    )),
    ("plan", 0.93, (
        r"(?:*esta *noche|*hoy|*manana|*ahora|*ahorita) (?:si )?(?:me (?:*mato|*muero|"
        r"*desvivo|*suicido|*ahorco|*cuelgo|*tiro al)|lo (?:*hago|voy a *hacer)|"
        r"*acabo con todo|termino con todo)",
        r"(?:escribi|escribiendo|deje|dejo|escribir|hice|lista) (?:ya )?(?:la|una|mi|"
        r"mis) "
        r"(?:*carta|*nota|*cartas) .. (?:despedida|suicidio|hijos|despedirme|madre|"
        r"todos|padres)", r"*carta de *despedida", r"*nota de *suicidio",
        r"(?:cuando|para cuando) (?:lean|leas|vean|encuentres|encuentren) (?:esto|"
        r"esta) .. ?(?:no *estare|ya no *estare|no voy a *estar|no *este|*muerto|"
        r"*muerta)",
        r"(?:manana|pronto|el \w+) (?:ya )?no (?:*estare|voy a *estar|*estoy)"
        r"(?! en (?:casa|la oficina|clase))",
        r"es (?:mi|la) (?:*ultimo|*ultima) (?:noche|dia|mensaje|"
        r"vez que) (?:de mi vida|en este "
        r"mundo|sabes de mi|van a saber|me ven|saben de mi)",
        r"(?:perdon|perdonen|perdoname|perdonenme) .. (?:por lo que (?:voy|van) a "
        r"(?:*hacer|*encontrar))",
        r"(?:tengo|hice|hecho) (?:un|el|mi|ya) .. ?*plan .. (?:matarme|morir|quitarme|"
        r"suicid\w+|acabar con)",
    )),
    ("means", 0.9, (
        r"(?:tengo|compre|consegui|guardo|guarde|junte|contadas?|prepare|con|ya) .. "
        r"(?:*pastillas|*cuerda|*soga|*pistola|*navaja|*cuchilla|*veneno|*arma|"
        r"*escopeta) .. (?:lista|listas|contadas|mano|cama|mesa|cuello|sien|preparada|"
        r"encima|para (?:matarme|morir|acabar|no despertar)|boca|cabeza)",
        r"(?:*pistola|*cuchillo|*navaja|*cuchilla|*soga|*cuerda) .. (?:en (?:la|mi) "
        r"(?:cabeza|boca|sien|mano|garganta)|al cuello|en el cuello)",
        r"(?:cuantas|que|cual|cuanta|k) .. (?:*pastillas|*dosis|*veneno|*cantidad|"
        r"*insulina|*paracetamol) .. (?:para )?(?:*morir|*matar|*mata|*mataria|no "
        r"*despertar|*letal|*mortal|*morirme)", r"*dosis (?:letal|mortal)",
        r"(?:estoy|ya estoy|aqui|parado|parada|sentada|sentado|subido|subida) .. "
        r"(?:en|sobre|arriba de|del otro lado de) (?:el|la|las|una) (?:*vias?|borde|"
        r"*cornisa|*baranda|*barandilla) ?",
        r"(?:forma|manera|metodo|modo) .. (?:rapida|facil|indolora|sin dolor|seguro|"
        r"indoloro|de) .. ?(?:*morir|*matarme|*suicidarme|*morirme)",
    )),
    ("attempt", 0.93, (
        r"(?:me )?(?:*tome|*tomado|*trague|*tragado|acabo de *tomar) .. "
        r"(?:todas|todo|muchas|un monton|un frasco|una caja|un bote|bastantes|"
        r"demasiadas|treinta|veinte) .. ?(?:las )?(?:*pastillas|*pildoras|*frasco|"
        r"*caja|*medicamentos|*tranquilizantes|*pastilla)?",
        r"*tome .. *veneno", r"me *corte (?:las )?(?:*venas|*munecas)",
        r"(?:*intente|*intentado|intento) (?:*matarme|*suicidarme|quitarme la *vida|"
        r"*ahorcarme|*morir)", r"*sobredosis",
    )),
    ("behaviour", 0.76, (
        r"(?:ganas de|volvi a|quiero|necesito|empece a|vuelvo a|recaida y|sigo|recai) "
        r".. ?(?:*cortarme|*lastimarme|*quemarme|*hacerme (?:dano|cortes)|*herirme|"
        r"*autolesionarme)",
        r"me (?:*corto|*corte|*autolesiono|*quemo|*lastimo|hago *dano) (?:otra vez|"
        r"anoche|ayer|los brazos|las piernas|en (?:los|las)|para|cuando|a proposito)"
        r"(?! (?:picando|el pelo|cocinando))", r"*autolesion", r"*autolesiones",
        r"*autolesionarme",
        r"(?:brazos|piernas|munecas) .. *cortes", r"*cortes en (?:los|las|sus) "
        r"(?:brazos|piernas|munecas)", r"(?:*vomito|*vomitar) despues de (?:comer|"
        r"cada comida)",
        r"me *encerre .. (?:navaja|cuchilla|cuchillo|pastillas)",
    )),
    ("harm_to_others", 0.86, (
        r"(?:voy a|quiero|pienso|te juro que|juro que) (?:*matar|*apunalar|"
        r"*degollar|*balear|*envenenar|*quemar|*asesinar) (?:a )?(?:<otro>)"
        r"(?! (?:tiempo|rato|hormigas|mosquitos|cucarachas))",
        r"(?:la|lo|los|le) (?:voy a|quiero) (?:*matar|*apunalar|*asesinar|*degollar|"
        r"*envenenar|*quemar (?:*vivo|*viva))",
        r"(?:llevo|llevare|voy a llevar) .. (?:*pistola|*arma|*cuchillo) (?:al|a la) "
        r"(?:*colegio|*escuela|*instituto|*trabajo|*oficina|*uni)",
    )),
    ("abuse", 0.78, (
        r"<agresor> .. (?:me *pega|me *pego|me *golpea|me *golpeo|me *maltrata|me "
        r"*viola|me *violo|me *toca|me *abusa|me *abuso|me *forzo|me *encierra|me "
        r"*amenaza|me *ahorca|me *ahorco|*abusa de mi|*abuso de mi|volvio a "
        r"*pegarme)", r"me *volvio a *pegar", r"me (?:*violo|*violaron|*forzo)",
        r"(?:*violaron|*abusaron|*abuso|*abusa) (?:de )?mi",
        r"me (?:*pega|*golpea|*viola) (?:cuando|con|todos|casi|si|delante)",
        r"(?:me )?(?:agarro|cogio|apreto|aprieta) (?:del|el) *cuello",
        r"me (?:*toca|*tocaba) (?:cuando|donde no|por debajo|las partes)",
        r"(?:dice|amenaza|juro) .. (?:si lo|si la) *dejo .. *mata",
    )),
    ("burden", 0.5, (
        r"(?:soy|siento que soy|ser) (?:una|solo una) *carga(?! de)",
        r"*estorbo (?:en|para|a) .. ?(?:todos|esta casa|mi familia|el mundo|mundo)",
        r"solo (?:doy|causo|traigo) *problemas", r"no (?:le )?*importo a nadie",
        r"(?:no )?(?:sirvo|valgo) para *nada", r"no *valgo nada",
    )),
    ("distress", 0.4, (
        r"(?:ya )?no (?:puedo|aguanto|doy) *mas(?! (?:con|a|de)|,? el|,? la)",
        r"no *puedo *seguir (?:asi|adelante|con esto)",
        r"(?:todo|mi vida) .. (?:no )?(?:tiene|hay) (?:*sentido|*salida|*solucion)",
        r"me (?:siento|encuentro) (?:*vacia|*vacio|*atrapada|*atrapado|*desesperada|"
        r"*desesperado) "
        r"(?:por dentro|y sola|y solo|y sin)", r"*odio mi *vida", r"me *odio",
    )),
    ("mention", 0.25, (r"*suicidio", r"*suicidarse", r"*suicida", r"*desvivirse")),
)  # fmt: skip

FIGURATIVE: tuple[str, ...] = (
    r"(?:me |se )?(?:*muero|*muriendo|*muere|*mori|*morir|*morirme|*muerto|*muerta|"
    r"*moria) (?:de|del|d|por) (?:la |el )?(?:risa|hambre|sueno|calor|frio|verguenza|"
    r"ganas|sed|aburrimiento|cansancio|amor|envidia|pena|miedo|ver|verte|probar|"
    r"conocer|comer|curiosidad|celos|ternura|nervios)",
    r"(?:me|nos) (?:va|van|iba) a *matar (?:cuando|si|mi|por|el profe)",
    r"(?:mama|papa|jefe|jefa|madre|padre|novia|novio|mujer|profe|hermana) .. (?:me|"
    r"nos) "
    r"(?:va a|van a) *matar",
    r"(?:me|nos) (?:esta|estan|tiene|tienen) (?:*matando|*muerto|*muerta)",
    r"*mata (?:por|el rato|el tiempo|ese|esa|la risa|ese chiste)",
    r"*mataria por", r"*matando el (?:rato|tiempo)", r"*matar (?:el tiempo|el rato|"
    r"las? "
    r"\w*(?:hormigas|cucarachas|plantas|mosquitos|malas)|un proceso|proceso)",
    r"(?:*muerto|*muerta) de (?:cansancio|hambre|sueno|risa|miedo|frio|sed|calor|"
    r"nervios)",
    r"de *muerte (?:lenta|natural|por chocolate)", r"esta de *muerte",
    r"(?:*tirar|*tirarme) (?:en|a) (?:la cama|el sofa|la piscina|la alberca|la playa)",
    r"*desaparecer (?:una|unos|un|dos|el fin|este fin) (?:semana|dias|finde|mes|rato)",
    r"me *corte (?:el pelo|cocinando|picando|afeitando|con el (?:cuchillo|papel)|sin "
    r"querer)", r"*escuadron *suicida", r"me *pego un *tiro .. (?:jaja\w*|broma|"
    r"aburrimiento)", r"(?:celular|movil|bateria|planta|telefono|internet|ordenador|"
    r"compu|carro|coche|albahaca) .. (?:*muere|*murio|*muriendo|*muerto|*muerta)",
    r"(?:*matar|*mataron|*mato|*matamos|*muero|*mori) .. (?:partida|juego|nivel|"
    r"fortnite|minecraft|boss|jefe final|puntos|goles)",
)  # fmt: skip
